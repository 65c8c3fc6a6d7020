// The market's side of the control API: calendar and halts per segment, how single instruments behave, where prices
// stand, and the rate of ticks.
import { Hono } from 'hono'
import type { Market } from '../calendar/market.ts'
import type { Load } from '../load/load.ts'
import type { PriceEngine } from '../prices/engine.ts'
import { inputRefused, refused } from '../refusal.ts'
import type { RestEnv } from '../rest/env.ts'
import { refuse, success } from '../rest/envelope.ts'
import type { UserStore } from '../users/user-store.ts'
import { parsed } from './body.ts'
import { conductSchema, marketSchema, priceSchema, rateSchema } from './schemas.ts'

export interface MarketControlParts {
  users: UserStore
  market: Market
  engine: PriceEngine
  load: Load
}

export function marketControl({ users, market, engine, load }: MarketControlParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>()

  app.get('/market', (c) => success(c, market.view()))
  app.post('/market', async (c) => {
    const body = await parsed(c, marketSchema)
    if (!body.ok) return body.response
    const { calendar, halt, segments } = body.value
    if (calendar !== undefined) market.setCalendar(calendar, segments)
    if (halt !== undefined) market.setHalt(halt, segments)
    return success(c, market.view())
  })

  app.post('/instruments', async (c) => {
    const body = await parsed(c, conductSchema)
    if (!body.ok) return body.response
    const { tokens, conduct } = body.value
    const unknown = tokens.filter((token) => engine.quote(token) === undefined)
    if (unknown.length > 0)
      return refuse(c, refused(404, 'InputException', `no such tokens: ${unknown.join(', ')}`))
    if (tokens.some((token) => engine.quote(token)?.replayed)) {
      return refuse(c, inputRefused('a recording drives one of these instruments'))
    }
    for (const token of tokens) engine.setConduct(token, conduct)
    return success(c, { conduct, instruments: tokens.length })
  })

  app.post('/prices', async (c) => {
    const body = await parsed(c, priceSchema)
    if (!body.ok) return body.response
    const { token, price } = body.value
    if (engine.quote(token)?.replayed) return refuse(c, inputRefused('a recording drives this instrument'))
    return engine.setSpot(token, price)
      ? success(c, { token, price })
      : refuse(c, refused(404, 'InputException', 'no such token'))
  })

  app.get('/rate', (c) => success(c, load.view()))
  app.post('/rate', async (c) => {
    const body = await parsed(c, rateSchema)
    if (!body.ok) return body.response
    const { user_id } = body.value
    if (user_id !== undefined && users.get(user_id) === null) {
      return refuse(c, refused(404, 'InputException', 'no such user_id'))
    }
    return success(c, load.start(body.value))
  })
  app.delete('/rate', (c) => {
    load.stop()
    return success(c, load.view())
  })
  return app
}
