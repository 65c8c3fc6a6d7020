// Positions, funds, margins, charges, profile and session of an unmodified Kite client.
import { Hono } from 'hono'
import { getAccount } from '../accounts/read.ts'
import { settle } from '../http/problem.ts'
import type { KiteEnv } from './env.ts'
import { KiteFailure, success } from './envelope.ts'
import { istOf } from './ist.ts'
import { flagOf, jsonOf, parametersOf } from './parameters.ts'
import {
  filledOrders,
  readBasket,
  readCharges,
  readFunds,
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
        return success(await readMargins(call, accountId, valuedOrders(await jsonOf(c.req))))
      })
      .post('/margins/basket', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        const orders = valuedOrders(await jsonOf(c.req))
        const consider = flagOf(await parametersOf(c.req), 'consider_positions')
        return success(await readBasket(call, accountId, orders, consider))
      })
      .post('/charges/orders', async (c) => {
        const { call, accountId } = c.var.kite('portfolio:read')
        return success(await readCharges(call, accountId, filledOrders(await jsonOf(c.req))))
      })
      .get('/user/profile', profile)
      .get('/user/profile/full', profile)
      // A strategy that logs out does not log out the desk.
      .delete('/session/token', (c) => {
        c.var.kite()
        return success(true)
      })
      .on(
        ['GET', 'POST', 'PUT', 'DELETE'],
        ['/alerts', '/alerts/*', '/portfolio/*'],
        notHere('This is not offered here (docs/kite-compatible.md).'),
      )
  )
}
