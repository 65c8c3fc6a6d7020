// Login exchange, logout, profile and funds (KITE.md 3).
import { Hono } from 'hono'
import { istTimestamp } from '../ist-time.ts'
import { inputRefused, refused, TOKEN_REFUSED } from '../refusal.ts'
import type { ExchangeFailure, User } from '../users/user-store.ts'
import { authenticate } from './authenticate.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'
import { formOf } from './form.ts'

const EXCHANGES = ['NSE', 'NFO', 'BSE', 'BFO', 'CDS', 'BCD', 'MCX']

export function sessionRoutes(parts: RestParts): Hono<RestEnv> {
  const { users, desk } = parts
  const app = new Hono<RestEnv>()

  app.post('/session/token', async (c) => {
    const form = await formOf(c)
    for (const field of ['api_key', 'request_token', 'checksum'] as const) {
      if (!form[field]) return refuse(c, inputRefused(`Missing or empty field \`${field}\``))
    }
    const result = users.exchange(form.api_key ?? '', form.request_token ?? '', form.checksum ?? '')
    return typeof result === 'string' ? refuse(c, exchangeRefusal(result)) : success(c, sessionOf(result))
  })

  // The credential is in the query, so it works without the header.
  app.delete('/session/token', (c) => {
    const user = users.authenticate(c.req.query('api_key') ?? '', c.req.query('access_token') ?? '')
    if (user === null) return refuse(c, TOKEN_REFUSED)
    users.logout(user)
    return success(c, true)
  })

  const gate = authenticate(parts)
  app.get('/user/profile', gate, (c) => success(c, profileOf(c.get('user'))))
  app.get('/user/margins', gate, (c) =>
    success(c, marginsOf(c.get('user'), desk.availableMargin(c.get('user')))),
  )
  app.get('/user/margins/:segment{equity|commodity}', gate, (c) => {
    const margins = marginsOf(c.get('user'), desk.availableMargin(c.get('user')))
    return success(c, c.req.param('segment') === 'equity' ? margins.equity : margins.commodity)
  })
  return app
}

function exchangeRefusal(failure: ExchangeFailure) {
  if (failure === 'unknown_api_key') return inputRefused('Invalid `api_key`.')
  if (failure === 'bad_checksum') return refused(403, 'TokenException', 'Invalid `checksum`.')
  return refused(403, 'TokenException', 'Token is invalid or has expired.')
}

function profileOf(user: User) {
  return {
    user_id: user.user_id,
    user_type: 'individual',
    email: `${user.user_id.toLowerCase()}@simulator.invalid`,
    user_name: user.user_name,
    user_shortname: user.user_name.split(' ')[0],
    broker: 'ZERODHA',
    exchanges: EXCHANGES,
    products: ['CNC', 'NRML', 'MIS', 'MTF'],
    order_types: ['MARKET', 'LIMIT', 'SL', 'SL-M'],
    avatar_url: null,
    meta: { demat_consent: 'physical' },
  }
}

/** The documented answer of `POST /session/token`; the user has just logged in. */
export function sessionOf(user: User) {
  return {
    ...profileOf(user),
    api_key: user.api_key,
    access_token: user.session?.access_token ?? '',
    public_token: user.session?.public_token ?? '',
    refresh_token: '',
    enctoken: '',
    login_time: istTimestamp(user.session?.login_ms ?? 0),
  }
}

function marginsOf(user: User, available: number) {
  const segment = (cash: number, live: number) => ({
    enabled: true,
    net: live,
    available: {
      adhoc_margin: 0,
      cash,
      opening_balance: cash,
      live_balance: live,
      collateral: 0,
      intraday_payin: 0,
    },
    utilised: {
      debits: cash - live,
      exposure: 0,
      m2m_realised: 0,
      m2m_unrealised: 0,
      option_premium: 0,
      payout: 0,
      span: 0,
      holding_sales: 0,
      turnover: 0,
      liquid_collateral: 0,
      stock_collateral: 0,
      delivery: 0,
    },
  })
  return { equity: segment(user.balance, available), commodity: segment(0, 0) }
}
