// Portfolio, funds, margins, mutual funds, profile and session of an unmodified Kite client.
import { Hono } from 'hono'
import { getAccount } from '../accounts/read.ts'
import { settle } from '../http/problem.ts'
import type { KiteEnv } from './env.ts'
import { KiteFailure, success } from './envelope.ts'
import { istOf } from './ist.ts'
import { flagOf, parametersOf } from './parameters.ts'
import {
  readBasket,
  readFundHoldings,
  readFundOrders,
  readFundSips,
  readFunds,
  readHoldings,
  readMargins,
  readPositions,
  valuedOrders,
} from './reads.ts'

const EXCHANGES = ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX']
const notHere = (what: string) => () => {
  throw new KiteFailure(400, 'InputException', what)
}

export function accountRoutes() {
  const profile = async (c: { var: KiteEnv['Variables'] }) => {
    const { call, accountId } = c.var.kite('accounts:read')
    const { session, name } = settle(await getAccount(call, accountId))
    if (session.status !== 'active')
      throw new KiteFailure(403, 'TokenException', 'The account is not logged in at the broker today.')
    const user = session.user_name ?? name
    return success({
      ...{ user_id: session.broker_user_id, user_type: 'individual', email: '', user_name: user },
      ...{ user_shortname: user.split(' ')[0] ?? user, broker: 'ZERODHA', avatar_url: null, meta: {} },
      ...{ exchanges: EXCHANGES, products: ['CNC', 'NRML', 'MIS', 'MTF'] },
      order_types: ['MARKET', 'LIMIT', 'SL', 'SL-M'],
      login_time: istOf(session.login_at),
    })
  }

  return (
    new Hono<KiteEnv>()
      .get('/portfolio/positions', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readPositions(call, accountId))
      })
      .get('/portfolio/holdings', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readHoldings(call, accountId))
      })
      .get('/user/margins', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readFunds(call, accountId))
      })
      .get('/user/margins/:segment', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readFunds(call, accountId, c.req.param('segment')))
      })
      .post('/margins/orders', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readMargins(call, accountId, valuedOrders(await c.req.json())))
      })
      .post('/margins/basket', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        const orders = valuedOrders(await c.req.json())
        const consider = flagOf(await parametersOf(c.req), 'consider_positions')
        return success(await readBasket(call, accountId, orders, consider))
      })
      .get('/mf/holdings', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readFundHoldings(call, accountId))
      })
      .get('/mf/orders', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readFundOrders(call, accountId))
      })
      .get('/mf/sips', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readFundSips(call, accountId))
      })
      .get('/user/profile', profile)
      .get('/user/profile/full', profile)
      // A strategy that logs out does not log out the desk; one that logs in has its credentials from us.
      .delete('/session/token', (c) => {
        c.var.kite()
        return success(true)
      })
      .on(
        ['POST'],
        ['/session/token', '/session/refresh_token'],
        notHere(
          'You log in at the broker in your own browser, for all of your programs at once: POST /v1/accounts/{id}/login. ' +
            'The access_token of a program is one of our API keys, or a day token (POST /v1/kite-tokens).',
        ),
      )
      .on(
        ['POST', 'PUT', 'DELETE'],
        '/mf/*',
        notHere('Mutual funds can be read here, and not ordered: the broker takes no such orders by API.'),
      )
      .on(
        ['GET', 'POST', 'PUT', 'DELETE'],
        ['/gtt/*', '/alerts', '/alerts/*', '/portfolio/*', '/charges/*'],
        notHere('This is not offered here (docs/kite-compatible.md).'),
      )
  )
}
