// `/sim/*`: what tests and demos steer the simulator with. Not part of the broker, without authentication, so the
// simulator belongs on a loopback or private address.
import { Hono } from 'hono'
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import type { Faults } from '../faults/faults.ts'
import type { Histories } from '../history/histories.ts'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import type { Load } from '../load/load.ts'
import type { OrderBooks } from '../orders/order-books.ts'
import type { OrderDesk } from '../orders/order-desk.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { LivePrices } from '../prices/live-prices.ts'
import { inputRefused, refused } from '../refusal.ts'
import type { RestEnv } from '../rest/env.ts'
import { refuse, success } from '../rest/envelope.ts'
import { sessionOf } from '../rest/session-routes.ts'
import type { TickerServer } from '../ticker/ticker-server.ts'
import type { User, UserStore } from '../users/user-store.ts'
import { parsed } from './body.ts'
import { faultControl } from './fault-control.ts'
import { marketControl } from './market-control.ts'
import type { Replays } from './replays.ts'
import {
  carriedSchema,
  clockSchema,
  frameSchema,
  loginSchema,
  ownOrderSchema,
  replaySchema,
  userChangeSchema,
  userSchema,
} from './schemas.ts'

export interface ControlParts {
  clock: SimClock
  users: UserStore
  instruments: InstrumentBook
  engine: PriceEngine
  histories: Histories
  books: OrderBooks
  desk: OrderDesk
  ticker: TickerServer
  faults: Faults
  market: Market
  load: Load
  replays: Replays
  live: LivePrices | undefined
}

export function controlRoutes(parts: ControlParts): Hono<RestEnv> {
  const {
    clock,
    users,
    instruments,
    engine,
    histories,
    books,
    desk,
    ticker,
    faults,
    market,
    load,
    replays,
    live,
  } = parts
  const app = new Hono<RestEnv>().basePath('/sim')

  app.get('/state', (c) =>
    success(c, {
      clock: clock.view(),
      market: market.view(),
      users: users.all().map(userView),
      sockets: ticker.view(),
      orders: books.count(),
      faults: faults.list(),
      instruments: instruments.size,
      ticks: engine.ticks,
      history_requests: histories.requests,
      rate: load.view(),
      replay: replays.view(),
      prices: live?.view() ?? null,
      process: processView(),
    }),
  )

  app.post('/users', async (c) => {
    const body = await parsed(c, userSchema)
    if (!body.ok) return body.response
    const user = users.add(body.value)
    if (user === null) return refuse(c, inputRefused('too many users'))
    desk.hold(user.user_id, body.value.holdings ?? [])
    return success(c, userView(user))
  })
  app.put('/users/:user_id', async (c) => {
    const body = await parsed(c, userChangeSchema)
    if (!body.ok) return body.response
    const user = users.change(c.req.param('user_id'), body.value)
    return user === null ? refuse(c, unknownUser()) : success(c, userView(user))
  })

  app.post('/login', async (c) => {
    const body = await parsed(c, loginSchema)
    if (!body.ok) return body.response
    const user = users.get(body.value.user_id)
    if (user === null) return refuse(c, unknownUser())
    if (body.value.result === 'request_token')
      return success(c, { request_token: users.issueRequestToken(user) })
    users.login(user)
    return success(c, sessionOf(user))
  })

  app.post('/orders', async (c) => {
    const body = await parsed(c, ownOrderSchema)
    if (!body.ok) return body.response
    const user = users.get(body.value.user_id)
    if (user === null) return refuse(c, unknownUser())
    const placed = desk.place(user, body.value.variety, body.value.form)
    return placed.ok ? success(c, placed.value) : refuse(c, placed.refusal)
  })

  app.post('/positions', async (c) => {
    const body = await parsed(c, carriedSchema)
    if (!body.ok) return body.response
    const { user_id, positions } = body.value
    if (users.get(user_id) === null) return refuse(c, unknownUser())
    const unknown = desk.carry(user_id, positions)
    return unknown === null ? success(c, true) : refuse(c, inputRefused(`${unknown} is not listed`))
  })

  app.get('/clock', (c) => success(c, clock.view()))
  app.post('/clock', async (c) => {
    const body = await parsed(c, clockSchema)
    if (!body.ok) return body.response
    const { set, offset_ms: offsetMs, speed } = body.value
    if (set !== undefined) clock.set(Date.parse(set))
    if (offsetMs !== undefined) clock.setOffset(offsetMs)
    if (speed !== undefined) clock.setSpeed(speed)
    return success(c, clock.view())
  })

  app.route('/', faultControl(parts))
  app.route('/', marketControl(parts))

  app.get('/replay', (c) => success(c, replays.view()))
  app.post('/replay', async (c) => {
    const body = await parsed(c, replaySchema)
    if (!body.ok) return body.response
    const { path, paths, speed, start } = body.value
    const outcome = await replays.start(paths ?? (path === undefined ? [] : [path]), speed, start)
    return outcome.ok ? success(c, outcome.value) : refuse(c, outcome.refusal)
  })
  app.delete('/replay', (c) => {
    replays.stop()
    return success(c, true)
  })

  app.post('/frames', async (c) => {
    const body = await parsed(c, frameSchema)
    if (!body.ok) return body.response
    ticker.sendText(body.value.user_id, { type: body.value.type, data: body.value.data })
    return success(c, true)
  })
  return app
}

function processView() {
  const { user, system } = process.cpuUsage()
  return { cpu_ms: (user + system) / 1000, rss_bytes: process.memoryUsage.rss() }
}

function userView(user: User) {
  const { api_secret: _secret, session, ...shown } = user
  return { ...shown, logged_in: session !== null, session_expires_ms: session?.expires_ms ?? null }
}

function unknownUser() {
  return refused(404, 'InputException', 'no such user_id')
}
