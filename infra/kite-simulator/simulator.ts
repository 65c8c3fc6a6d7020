// Composition root of the simulator: one HTTP port that answers as the broker's REST, login page and ticker, and
// as the control API. Deterministic from its seed but for tokens and the moments of real requests.
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type CalendarMode, Market } from './calendar/market.ts'
import { SimClock } from './clock.ts'
import { controlRoutes } from './control/control-routes.ts'
import { Replays } from './control/replays.ts'
import { Faults } from './faults/faults.ts'
import { GttDesk } from './gtts/gtt-desk.ts'
import { Histories } from './history/histories.ts'
import { generateInstruments } from './instruments/generate.ts'
import { InstrumentBook } from './instruments/instrument-book.ts'
import { loadDumps } from './instruments/load-dump.ts'
import { istDate } from './ist-time.ts'
import { Load } from './load/load.ts'
import { loginRoutes } from './login/login-routes.ts'
import { OrderBooks } from './orders/order-books.ts'
import { type DelayRange, OrderDesk } from './orders/order-desk.ts'
import { sendPostback } from './orders/order-updates.ts'
import { PriceEngine } from './prices/engine.ts'
import { LivePrices, type PriceSource } from './prices/live-prices.ts'
import type { ReplayStart } from './prices/replay.ts'
import { seededRandom, seedFrom } from './random.ts'
import { restApp } from './rest/app.ts'
import { Tasks } from './tasks.ts'
import { TickerServer } from './ticker/ticker-server.ts'
import { upgradeHandler } from './ticker/upgrade.ts'
import { type UserOptions, UserStore } from './users/user-store.ts'

export interface SimulatorOptions {
  /** 0 takes a free port. Default 8100. */
  port?: number
  host?: string
  seed?: number
  users?: readonly UserOptions[]
  /** Real dumps to serve instead of a generated market. */
  instrumentFiles?: readonly string[]
  /** Where the prices of a paper broker come from; generated when absent. Orders then fill against the depth. */
  prices?: PriceSource
  /** At least so many rows in the generated market. */
  instrumentsCount?: number
  /** `always_open` by default, whatever the clock says. */
  calendar?: CalendarMode
  /** Share of the instruments that hardly trades, never did, or sits on a circuit limit. Default 0. */
  thinShare?: number
  /** What happens to open sockets when their token dies at 06:00 IST. The broker does not say; default close. */
  rollover?: 'close' | 'keep'
  replay?: { paths: readonly string[]; speed: number; start: ReplayStart }
  /** Where the simulated clock starts; default is now. */
  startAtMs?: number
  /** How often a watched instrument ticks, on average. Default 1.5; 0 freezes generated prices. */
  ticksPerSecond?: number
  batchMs?: number
  heartbeatMs?: number
  replyDelayMs?: DelayRange
  openDelayMs?: DelayRange
  updateDelayMs?: DelayRange
  partialFillChance?: number
  rateLimits?: boolean
  log?: (line: string) => void
  wallMs?: () => number
  fetch?: typeof fetch
}

export interface Simulator {
  port: number
  /** REST, login and control root: `http://host:port`. */
  url: string
  /** Ticker root: `ws://host:port`. */
  wsUrl: string
  instruments: number
  stop(): Promise<void>
}

export const DEFAULT_PORT = 8100
const REPLAY_PUMP_MS = 20
const LOAD_PULSE_MS = 5
const TICKER_PULSE_MS = 50

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const seed = options.seed ?? 1
  const host = options.host ?? '127.0.0.1'
  const batchMs = options.batchMs ?? 250
  const clock = new SimClock(options.wallMs, options.startAtMs)
  const tasks = new Tasks()
  const faults = new Faults(() => clock.wallMs())
  const users = new UserStore(clock, options.users ?? [])
  const files = options.instrumentFiles ?? []
  const instruments = new InstrumentBook(
    files.length > 0
      ? await loadDumps(files)
      : generateInstruments(seed, istDate(clock.nowMs()), options.instrumentsCount),
  )
  const market = new Market(clock, instruments, options.calendar)
  const engine = new PriceEngine(clock, instruments, seed, market, options.thinShare)
  const live = options.prices && new LivePrices(engine, tasks, options.prices, options.log ?? (() => {}))
  const histories = new Histories({ clock, engine, market, seed })
  const ticker = new TickerServer(engine, faults)
  const load = new Load({ clock, engine, market, faults, ticker })
  const replays = new Replays(clock, instruments, engine)
  const books = new OrderBooks(clock, market)
  const desk = new OrderDesk({
    clock,
    instruments,
    engine,
    market,
    books,
    tasks,
    faults,
    random: seededRandom(seedFrom(seed, 'orders')),
    openDelayMs: options.openDelayMs ?? [20, 150],
    updateDelayMs: options.updateDelayMs ?? [10, 200],
    partialFillChance: options.partialFillChance ?? 0.2,
    announce: (user, update) => {
      ticker.sendText(user.user_id, { type: 'order', data: update })
      void sendPostback(user, update, options.fetch ?? fetch)
    },
  })
  const gtts = new GttDesk({ clock, instruments, engine, books, desk })
  for (const { user_id, holdings = [] } of options.users ?? []) desk.hold(user_id, holdings)
  const rest = {
    clock,
    users,
    instruments,
    engine,
    histories,
    books,
    desk,
    gtts,
    faults,
    tasks,
    random: seededRandom(seedFrom(seed, 'replies')),
    replyDelayMs: options.replyDelayMs ?? [30, 80],
    rateLimits: options.rateLimits ?? true,
  }
  const parts = {
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
  }
  const control = controlRoutes(parts)
  const app = restApp(rest, loginRoutes(users), control)

  if (options.replay !== undefined) {
    const { paths, speed, start } = options.replay
    const outcome = await replays.start(paths, speed, start)
    if (!outcome.ok) throw new Error(outcome.refusal.message)
  }

  const server = createServer(getRequestListener(app.fetch))
  server.on('upgrade', upgradeHandler(users, ticker, faults))
  const port = await listen(server, host, options.port ?? DEFAULT_PORT)

  const chance = ((options.ticksPerSecond ?? 1.5) * batchMs) / 1000
  if (chance > 0) tasks.every(batchMs, () => engine.step((batchMs / 1000) * clock.speed, chance))
  tasks.every(REPLAY_PUMP_MS, () => replays.pump())
  tasks.every(LOAD_PULSE_MS, () => load.pulse())
  const closeAtRollover = options.rollover !== 'keep'
  tasks.every(TICKER_PULSE_MS, () => ticker.pulse(clock.nowMs(), TICKER_PULSE_MS, closeAtRollover))
  tasks.every(options.heartbeatMs ?? 1_000, () => ticker.heartbeat())

  return {
    port,
    url: `http://${host}:${port}`,
    wsUrl: `ws://${host}:${port}`,
    instruments: instruments.size,
    stop: async () => {
      tasks.stop()
      live?.stop()
      ticker.dropSockets({})
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
