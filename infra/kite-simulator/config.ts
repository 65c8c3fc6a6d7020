// Command line and environment of `main.ts`; the only file of the simulator that reads either.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { CALENDAR_MODES } from './calendar/market.ts'
import { userSchema } from './control/schemas.ts'
import { INSTRUMENTS_MAX } from './instruments/generate.ts'
import { paperPrices } from './prices/paper-prices.ts'
import { DEFAULT_PORT, type SimulatorOptions } from './simulator.ts'

export const USAGE = `node infra/kite-simulator/main.ts [options]
  --port N               default ${DEFAULT_PORT}, or KITE_SIMULATOR_PORT; 0 takes a free one
  --host ADDRESS         default 127.0.0.1
  --seed N               default 1
  --users-file PATH      JSON array of users: user_id, api_key, api_secret, and optionally user_name,
                         redirect_url, postback_url, balance, holdings, mutual_funds, access_token (starts logged in)
  --instruments A,B      real instrument dumps (.csv, .csv.gz, or the address of one) instead of a generated market
  --prices-from URL      a paper broker: prices of the Kite-compatible socket of this control plane, fills against the
                         depth; with --prices-account, and an API key with stream:read in PAPER_PRICES_KEY
  --prices-account ID    the account with market data whose ticks those are
  --instruments-count N  at least so many rows in the generated market, up to ${INSTRUMENTS_MAX}
  --calendar MODE        always_open (default), real, or closed
  --thin-share X         share of instruments that hardly trade or sit on a circuit, default 0
  --rollover WHAT        close (default) or keep the sockets whose token dies at 06:00 IST
  --replay A,B           recorded ticks (.csv, .csv.gz) to play
  --replay-speed N       default 1
  --replay-start WHEN    now, on_subscribe (default), or when_told (by POST /sim/replay)
  --start-at TIME        where the simulated clock starts, RFC 3339; default now
  --ticks-per-second N   average per watched instrument, default 1.5; 0 freezes generated prices
  --no-rate-limits
  --no-delays            answer and fill at once`

const list = z.string().transform((text) => text.split(',').filter((part) => part !== ''))
const schema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(DEFAULT_PORT),
  host: z.string().default('127.0.0.1'),
  seed: z.coerce.number().int().default(1),
  'users-file': z.string().optional(),
  instruments: list.optional(),
  'prices-from': z.url({ protocol: /^https?$/ }).optional(),
  'prices-account': z.string().optional(),
  'instruments-count': z.coerce.number().int().min(1).max(INSTRUMENTS_MAX).optional(),
  calendar: z.enum(CALENDAR_MODES).default('always_open'),
  'thin-share': z.coerce.number().min(0).max(1).default(0),
  rollover: z.enum(['close', 'keep']).default('close'),
  replay: list.optional(),
  'replay-speed': z.coerce.number().positive().default(1),
  'replay-start': z.enum(['now', 'on_subscribe', 'when_told']).default('on_subscribe'),
  'start-at': z.iso.datetime({ offset: true }).optional(),
  'ticks-per-second': z.coerce.number().min(0).max(4).default(1.5),
  'no-rate-limits': z.boolean().default(false),
  'no-delays': z.boolean().default(false),
})

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Throws with a readable message on anything it does not understand. */
export async function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<SimulatorOptions> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: text,
      host: text,
      seed: text,
      'users-file': text,
      instruments: text,
      'prices-from': text,
      'prices-account': text,
      'instruments-count': text,
      calendar: text,
      'thin-share': text,
      rollover: text,
      replay: text,
      'replay-speed': text,
      'replay-start': text,
      'start-at': text,
      'ticks-per-second': text,
      'no-rate-limits': flag,
      'no-delays': flag,
    },
  })
  const parsed = schema.safeParse({ port: env.KITE_SIMULATOR_PORT, ...values })
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  const config = parsed.data
  const options: SimulatorOptions = {
    port: config.port,
    host: config.host,
    seed: config.seed,
    ticksPerSecond: config['ticks-per-second'],
    rateLimits: !config['no-rate-limits'],
    users: config['users-file'] === undefined ? [] : await readUsers(config['users-file']),
    instrumentFiles: config.instruments ?? [],
    calendar: config.calendar,
    thinShare: config['thin-share'],
    rollover: config.rollover,
  }
  if (config['prices-from'] !== undefined) {
    const { 'prices-account': account } = config
    if (account === undefined || !env.PAPER_PRICES_KEY)
      throw new Error('--prices-from needs --prices-account, and an API key in PAPER_PRICES_KEY')
    options.prices = paperPrices(config['prices-from'], account, env.PAPER_PRICES_KEY)
    options.log = console.log
  }
  const count = config['instruments-count']
  if (count !== undefined) options.instrumentsCount = count
  if (config['start-at'] !== undefined) options.startAtMs = Date.parse(config['start-at'])
  if (config.replay !== undefined) {
    options.replay = { paths: config.replay, speed: config['replay-speed'], start: config['replay-start'] }
  }
  return config['no-delays']
    ? { ...options, replyDelayMs: [0, 0], openDelayMs: [0, 0], updateDelayMs: [0, 0] }
    : options
}

async function readUsers(path: string) {
  const parsed = z.array(userSchema).safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
