// `pnpm conformance`: the official Python and Go clients, unmodified, against a whole system. Their tickers at every form of the
// root URL and in every mode, with instruments that nothing else subscribes; their REST through a whole order life and what can be
// read, at every root that works with them. Says which could not be run because they are not installed; exits 1 when one fails.
import { execFile, spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SCOPES } from '@ticker/shared/domain'
import { z } from 'zod'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { DEMO_INSTRUMENTS, until } from '../local/seed.ts'
import { JAVASCRIPT, PYTHON, PYTHON_REST, runKiteTicker } from './kite-ticker-process.ts'

const FORMS = ['', '/', '/kite/ws', '/kite/ws/']
const MODES = ['ltp', 'quote', 'full'] as const
const TICKS = 20
const REST_WITHIN_MS = 120_000

const instrument = z.object({ instrument_token: z.number() })

interface Client {
  name: string
  /** How to start it; undefined: not installed. */
  command: readonly string[] | undefined
  /** Its REST client and the roots that work with it, behind scheme and host; the JavaScript one runs in the end-to-end tests. */
  rest: { command: readonly string[]; roots: readonly string[] } | undefined
  install: string
}

function runs(command: string, args: string[], cwd?: string): boolean {
  return spawnSync(command, args, { cwd, stdio: 'ignore' }).status === 0
}

/** What its compiler says is shown: a client that is there must do. */
function builds(args: string[], cwd: string): boolean {
  return (
    spawnSync('go', ['build', '-mod=mod', ...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
      .status === 0
  )
}

function clients(folder: string): Client[] {
  const go = join(folder, 'kite-ticker-go')
  // Building resolves its dependency into its folder: not in the checkout.
  const source = join(folder, 'go')
  cpSync(join(import.meta.dirname, 'go'), source, { recursive: true })
  const isGo = runs('go', ['version'])
  const built = isGo && runs('go', ['build', '-mod=mod', '-o', go, '.'], source)
  if (built && !builds(['-o', `${go}-rest`, './rest'], source))
    console.log('Go: its REST program does not build')
  const isPython = runs('python3', ['-c', 'import kiteconnect'])
  return [
    { name: 'JavaScript', command: JAVASCRIPT, rest: undefined, install: '' },
    {
      name: 'Python',
      command: isPython ? PYTHON : undefined,
      // It joins its paths to the host.
      rest: isPython ? { command: PYTHON_REST, roots: ['', '/'] } : undefined,
      install: 'pip install kiteconnect',
    },
    {
      name: 'Go',
      command: built ? [go] : undefined,
      rest: built ? { command: [`${go}-rest`], roots: ['', '/', '/kite/api', '/kite/api/'] } : undefined,
      install: 'Go, and access to its module proxy for github.com/zerodha/gokiteconnect/v4',
    },
  ]
}

/** With a key, and so with the limits, of its own at each root. */
async function conformRest(desk: Desk, { command, roots }: NonNullable<Client['rest']>): Promise<void> {
  const [program = '', ...args] = command
  for (const root of roots) {
    const { apiKey, accessToken } = await desk.kiteCredentials(await desk.keyWith({ scopes: SCOPES }))
    const at = desk.system.controlPlaneUrl + root
    await promisify(execFile)(program, [...args, at, apiKey, accessToken], { timeout: REST_WITHIN_MS }).catch(
      (error: unknown) => {
        throw new Error(`at "${root}": ${error instanceof Error ? error.message : error}`)
      },
    )
  }
}

async function conform(desk: Desk, command: readonly string[], tokens: number[]): Promise<void> {
  const credentials = await desk.kiteCredentials()
  for (const form of FORMS) {
    for (const mode of MODES) {
      const ticker = runKiteTicker({ ...credentials, root: credentials.root + form }, mode, tokens, command)
      const ticks = () => ticker.events.filter((event) => event.kind === 'tick')
      try {
        await until(`${tokens.length} instruments at "${form}"`, async () =>
          tokens.every((token) => ticks().some((tick) => tick.instrument_token === token)),
        )
        await until(`${TICKS} ticks in ${mode} at "${form}"`, async () => {
          const last = ticks().slice(-TICKS)
          return last.length === TICKS && last.every((tick) => tick.mode === mode)
        })
        await desk.place({ price: 1, tag: 'conform' })
        await until(`an order update at "${form}"`, async () =>
          ticker.events.some((event) => event.kind === 'order' && event.tag === 'conform'),
        )
        const errors = ticker.events.filter((event) => event.kind === 'error')
        if (errors.length > 0) throw new Error(errors.map((event) => event.message).join('; '))
      } finally {
        ticker.stop()
      }
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'ticker-conformance-'))
const running = await runSystem(['--no-delays', '--no-rate-limits'])
let failed = false
try {
  const desk = createDesk(running)
  // Nobody has put them into subscriptions: that a client asks for them is enough.
  const tokens = await Promise.all(
    DEMO_INSTRUMENTS.map(async (key) => {
      const known = await desk.api.call(instrument, 'GET', `/v1/instruments/${encodeURIComponent(key)}`)
      return known.instrument_token
    }),
  )
  for (const { name, command, rest, install } of clients(folder)) {
    if (!command) {
      console.log(`${name}: not installed here, not run (${install})`)
      continue
    }
    try {
      await conform(desk, command, tokens)
      console.log(`${name}: ${FORMS.length} roots × ${MODES.length} modes, ticks and order updates, no error`)
      if (rest) {
        await conformRest(desk, rest)
        console.log(`${name}: REST at ${rest.roots.length} roots, a whole order life and what can be read`)
      }
    } catch (error) {
      failed = true
      console.log(`${name}: FAILED: ${error instanceof Error ? error.message : error}`)
    }
  }
} finally {
  await running.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
