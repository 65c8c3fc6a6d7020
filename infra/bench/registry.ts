// The instrument registry with 150,000 rows: what a load of the dump takes, and how long a search by each of its filters.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateDatabase } from '@ticker/shared/db/migrate'
import { z } from 'zod'
import { generateInstruments } from '../kite-simulator/instruments/generate.ts'
import { InstrumentBook } from '../kite-simulator/instruments/instrument-book.ts'
import { istDate } from '../kite-simulator/ist-time.ts'
import { closeServer, listen } from '../local/bridge-http.ts'
import { freePort } from '../local/free-port.ts'
import { startPostgres } from '../local/postgres.ts'
import { ApiClient, seed } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { startTemporarySystem } from '../local/temporary-system.ts'
import { startChild } from './child.ts'
import { median, percentile, type Row, rounded } from './measure.ts'

const INSTRUMENTS = 150_000
const LOADS = 3
const WEEK_MS = 7 * 86_400_000
const ROUNDS = 100
const WARM_UP = 5

const row = z.object({
  instrument_token: z.number(),
  tradingsymbol: z.string(),
  name: z.string(),
  expiry: z.string().nullable(),
  strike: z.number(),
})
const loadResult = z.object({ rows: z.number(), tookMs: z.number(), extraBytes: z.number() })
export type Load = z.output<typeof loadResult>

export async function registry(): Promise<Row[]> {
  return [...(await loads()), ...(await searches())]
}

/** As the data plane fetches it: gzipped, over HTTP; into an empty registry, then the dump of a week later over it. */
async function loads(): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'ticker-registry-'))
  // PostgreSQL runs as a user of its own when this runs as root.
  await chmod(directory, 0o755)
  const dumpOf = (epochMs: number) =>
    new InstrumentBook(generateInstruments(1, istDate(epochMs), INSTRUMENTS)).csvGzip(null)
  const now = Date.now()
  const [today, nextWeek] = [dumpOf(now), dumpOf(now + WEEK_MS)]
  let dump = today
  const broker = createServer((_, response) => {
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/csv' }).end(dump)
  })
  const root = `http://127.0.0.1:${await listen(broker, 0)}`
  const first: Load[] = []
  const next: Load[] = []
  try {
    for (let round = 0; round < LOADS; round += 1) {
      const postgres = await startPostgres({
        directory: join(directory, String(round)),
        port: await freePort(),
        persistent: false,
      })
      try {
        await migrateDatabase(postgres.url, 'sim')
        dump = today
        first.push(await loadInChild(root, postgres.url))
        dump = nextWeek
        next.push(await loadInChild(root, postgres.url))
      } finally {
        await postgres.stop()
      }
    }
  } finally {
    await closeServer(broker)
    await rm(directory, { recursive: true, force: true })
  }
  const took = (of: Load[]) => `${(median(of.map((load) => load.tookMs)) / 1000).toFixed(1)} s`
  const extra = (of: Load[]) => `${rounded(median(of.map((load) => load.extraBytes)) / 1e6)} MB`
  const rows = `${rounded(first[0]?.rows ?? Number.NaN)} rows`
  return [
    {
      what: `registry, load of ${rows}, first / a week later, median of ${LOADS}`,
      value: `${took(first)} / ${took(next)}`,
      target: '< 10 s',
    },
    {
      what: `registry, load of ${rows}, memory above what was there, first / a week later`,
      value: `${extra(first)} / ${extra(next)}`,
      target: '< 100 MB',
    },
  ]
}

export async function loadInChild(root: string, databaseUrl: string): Promise<Load> {
  const child = startChild('registry-load.ts')
  try {
    return loadResult.parse(await child.ask({ root, databaseUrl }))
  } finally {
    await child.stop()
  }
}

/** Each filter by itself and together, the way a client asks: through the API in workerd. */
async function searches(): Promise<Row[]> {
  const { system, stop } = await startTemporarySystem([
    ...['--no-rate-limits', '--no-delays', '--ticks-per-second', '0'],
    ...['--instruments-count', String(INSTRUMENTS)],
  ])
  try {
    const api = new ApiClient(system.controlPlaneUrl, await seed(system, DEMO_USERS[0], undefined))
    const page = z.object({ items: z.array(row), next_cursor: z.string().nullable() })
    const search = (query: string) => api.call(page, 'GET', `/v1/instruments?${query}`)
    // What is asked for exists: the last option of the dump, and a cursor from within it.
    const { items } = await search('segment=NFO-OPT&limit=1000')
    const [option, cursor] = [items.at(-1), (await search('limit=1000')).next_cursor]
    if (!option || cursor === null) throw new Error('the generated dump has options and more than a page')
    const { name, expiry, strike, tradingsymbol, instrument_token } = option
    const key = `NFO:${tradingsymbol}`
    const queries: Record<string, string> = {
      exchange: '?exchange=BSE',
      segment: '?segment=INDICES',
      'type, the rarest': '?type=FUT',
      name: `?name=${name}`,
      prefix: `?prefix=${tradingsymbol.slice(0, 6)}`,
      'prefix of nothing': '?prefix=NOSUCH',
      expiry: `?expiry=${expiry}`,
      'strike range': `?strike_min=${strike}&strike_max=${strike + 0.5}`,
      chain: `?exchange=NFO&name=${name}&expiry=${expiry}&type=CE&strike_min=1`,
      'next page': `?cursor=${encodeURIComponent(cursor)}`,
      'last page of all': `?limit=1000&exchange=NSE&prefix=Z`,
      'one by symbol': `/${encodeURIComponent(key)}`,
      'one by token': `/${instrument_token}`,
    }
    const times = new Map(Object.keys(queries).map((name) => [name, [] as number[]]))
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      for (const [name, query] of Object.entries(queries)) {
        const startedMs = performance.now()
        await api.call(z.unknown(), 'GET', `/v1/instruments${query}`)
        if (round >= 0) times.get(name)?.push(performance.now() - startedMs)
      }
    }
    const all = [...times.values()].flat()
    const slowest = [...times].reduce((a, b) => (percentile(b[1], 99) > percentile(a[1], 99) ? b : a))
    return [
      {
        what: `registry, ${rounded(INSTRUMENTS)} rows, searches through the API, p50 / p99`,
        value: `${percentile(all, 50).toFixed(1)} / ${percentile(all, 99).toFixed(1)} ms`,
        target: 'p99 < 50 ms',
      },
      {
        what: `registry, the slowest search (${slowest[0]}), p50 / p99`,
        value: `${percentile(slowest[1], 50).toFixed(1)} / ${percentile(slowest[1], 99).toFixed(1)} ms`,
        target: 'p99 < 50 ms',
      },
    ]
  } finally {
    await stop()
  }
}
