// Mutual funds, to be read (KITE.md 5.5).
import { Hono } from 'hono'
import { type FundOptions, fundHolding, fundOrder, fundSip, fundTrade } from '../mutual-funds/mutual-funds.ts'
import { authenticate } from './authenticate.ts'
import type { RestContext, RestEnv, RestParts } from './env.ts'
import { success } from './envelope.ts'

export function fundRoutes(parts: RestParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)
  const each = (c: RestContext, row: (fund: FundOptions, index: number, nowMs: number) => unknown) =>
    success(
      c,
      c.get('user').mutual_funds.map((fund, index) => row(fund, index, parts.clock.nowMs())),
    )
  app.get('/mf/holdings', gate, (c) => each(c, fundHolding))
  app.get('/mf/orders', gate, (c) => each(c, fundOrder))
  app.get('/mf/holdings/:isin', gate, (c) => {
    const bought = c.get('user').mutual_funds.filter((fund) => fund.tradingsymbol === c.req.param('isin'))
    return success(
      c,
      bought.map((fund) => fundTrade(fund, parts.clock.nowMs())),
    )
  })
  app.get('/mf/allotments', gate, (c) => each(c, ({ tradingsymbol }) => tradingsymbol))
  app.get('/mf/sips', gate, (c) => each(c, fundSip))
  return app
}
