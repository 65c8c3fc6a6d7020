// The command line of `pnpm dev`.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'

export const USAGE = `npx pnpm dev [options]     starts the whole system on this machine; Ctrl-C stops it
  --instruments A,B   real instrument dumps (.csv, .csv.gz) instead of a generated market
  --replay FILE       play recorded ticks (timestamp,token,ltp; .csv or .csv.gz), count them at a /v1/stream client;
                      ends with exit code 1 unless every row arrives, once, in order, at its price
  --speed N           speed of the replay (default 1)
  --seed N            seed of the generated market (default 1)
  --paper             with a paper broker and an account (paper) logged in there: orders without money, at the prices
                      that the demo account streams
  --fresh             forget the state of earlier runs (.dev)
  --help              print this
  --state DIR         where to keep state (default .dev)
  --worker-port, --stream-port, --ops-port, --simulator-port, --paper-port, --postgres-port, --redis-port N
                      preferred ports (8787, 8080, 9090, 8100, 8101, 5433, 6380); a free one is taken when one is in use`

export interface Ports {
  worker: number
  stream: number
  ops: number
  simulator: number
  paper: number
  postgres: number
  redis: number
}

export interface DevOptions {
  instruments: string[]
  replay: string | undefined
  speed: number
  seed: number
  paper: boolean
  fresh: boolean
  stateDir: string
  ports: Ports
}

export const DEFAULT_PORTS: Ports = {
  worker: 8787,
  stream: 8080,
  ops: 9090,
  simulator: 8100,
  paper: 8101,
  postgres: 5433,
  redis: 6380,
}

const port = (preferred: number) => z.coerce.number().int().min(0).max(65_535).default(preferred)
const schema = z.object({
  instruments: z.string().default(''),
  replay: z.string().optional(),
  speed: z.coerce.number().positive().max(100_000).default(1),
  seed: z.coerce.number().int().default(1),
  paper: z.boolean().default(false),
  fresh: z.boolean().default(false),
  state: z.string().default('.dev'),
  'worker-port': port(DEFAULT_PORTS.worker),
  'stream-port': port(DEFAULT_PORTS.stream),
  'ops-port': port(DEFAULT_PORTS.ops),
  'simulator-port': port(DEFAULT_PORTS.simulator),
  'paper-port': port(DEFAULT_PORTS.paper),
  'postgres-port': port(DEFAULT_PORTS.postgres),
  'redis-port': port(DEFAULT_PORTS.redis),
})

/** It understood the option; what it names is not there. */
export class NoSuchFile extends Error {}

/** Throws with a readable message on anything it does not understand. Paths are relative to the caller's folder. */
export function readOptions(argv: readonly string[], cwd: string): DevOptions {
  const text = { type: 'string' } as const
  const names = Object.keys(schema.shape).filter((name) => name !== 'fresh' && name !== 'paper')
  const options = {
    ...Object.fromEntries(names.map((name) => [name, text])),
    fresh: { type: 'boolean' } as const,
    paper: { type: 'boolean' } as const,
  }
  // `pnpm dev -- --replay x` hands the bare -- on.
  const { values } = parseArgs({ args: argv.filter((argument) => argument !== '--'), options })
  const parsed = schema.safeParse(values)
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  const given = parsed.data
  const dumps = given.instruments.split(',').filter(Boolean)
  return {
    instruments: dumps.map((path) => fileOf('--instruments', path, cwd)),
    replay: given.replay === undefined ? undefined : fileOf('--replay', given.replay, cwd),
    speed: given.speed,
    seed: given.seed,
    paper: given.paper,
    fresh: given.fresh,
    stateDir: resolve(cwd, given.state),
    ports: {
      worker: given['worker-port'],
      stream: given['stream-port'],
      ops: given['ops-port'],
      simulator: given['simulator-port'],
      paper: given['paper-port'],
      postgres: given['postgres-port'],
      redis: given['redis-port'],
    },
  }
}

/** Said before anything starts: later it would be one part's log that knows. */
function fileOf(option: string, path: string, cwd: string): string {
  const file = resolve(cwd, path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new NoSuchFile(`${option}: there is no file ${file}`)
  return file
}
