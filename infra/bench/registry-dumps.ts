// Real dumps, by path: each file of a folder through the refresh as the data plane does it, gzipped over HTTP, into a
// PostgreSQL of its own; then the same file again, which must change nothing. What is no dump as the broker sends it (JSON, or
// fewer columns) is written as one first, and says so.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { migrateDatabase } from '@ticker/shared/db/migrate'
import { parse } from 'csv-parse/sync'
import pg from 'pg'
import { z } from 'zod'
import { readMaybeGzip } from '../kite-simulator/instruments/load-dump.ts'
import { closeServer, listen } from '../local/bridge-http.ts'
import { freePort } from '../local/free-port.ts'
import { startPostgres } from '../local/postgres.ts'
import { type Row, rounded } from './measure.ts'
import { loadInChild } from './registry.ts'

const HEADER = [
  ...['instrument_token', 'exchange_token', 'tradingsymbol', 'name', 'last_price', 'expiry', 'strike'],
  ...['tick_size', 'lot_size', 'instrument_type', 'segment', 'exchange'],
]
const DUMP = /\.(csv|json)(\.gz)?$/

const record = z.record(z.string(), z.string())
type DumpRecord = z.output<typeof record>

export async function registryDumps(folder: string): Promise<Row[]> {
  const files = (await readdir(folder)).filter((name) => DUMP.test(name)).sort()
  if (files.length === 0) throw new Error(`no .csv or .json, gzipped or not, in ${folder}`)
  const rows: Row[] = []
  for (const file of files) rows.push(await loadFile(folder, file))
  return rows
}

async function loadFile(folder: string, file: string): Promise<Row> {
  const { csv, note } = asDump(file, await readMaybeGzip(join(folder, file)))
  const dump = gzipSync(csv)
  const broker = createServer((_, response) => {
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/csv' }).end(dump)
  })
  const root = `http://127.0.0.1:${await listen(broker, 0)}`
  const directory = await mkdtemp(join(tmpdir(), 'ticker-dump-'))
  // PostgreSQL runs as a user of its own when this runs as root.
  await chmod(directory, 0o755)
  try {
    const postgres = await startPostgres({
      directory: join(directory, 'postgres'),
      port: await freePort(),
      persistent: false,
    })
    try {
      await migrateDatabase(postgres.url, 'sim')
      const first = await loadInChild(root, postgres.url)
      const again = await loadInChild(root, postgres.url)
      const listed = await counted(postgres.url)
      if (listed.changes > 0)
        throw new Error(`${file}: read again, it says ${listed.changes} changes of itself`)
      const seconds = [first, again].map(({ tookMs }) => `${(tookMs / 1000).toFixed(1)} s`).join(' / ')
      return {
        what: `${file}${note}: rows loaded, of ${rounded(csv.trimEnd().split('\n').length - 1)}; first / again; memory`,
        value: `${rounded(listed.active)}; ${seconds}; ${rounded(first.extraBytes / 1e6)} MB`,
        target: '< 10 s, < 100 MB',
      }
    } finally {
      await postgres.stop()
    }
  } finally {
    await closeServer(broker)
    await rm(directory, { recursive: true, force: true })
  }
}

async function counted(databaseUrl: string): Promise<{ active: number; changes: number }> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query(
      `select (select count(*) from ticker.instruments where is_active)::int as active,
         (select count(*) from ticker.instrument_changes)::int as changes`,
    )
    return z.object({ active: z.int(), changes: z.int() }).parse(rows[0])
  } finally {
    await client.end()
  }
}

/** What is a dump already stays as it is, to the byte. */
function asDump(file: string, text: string): { csv: string; note: string } {
  if (file.includes('.json')) {
    const records = z.array(record).parse(JSON.parse(text))
    return { csv: csvOf(records), note: ', JSON written as CSV' }
  }
  const [header = ''] = text.split(/\r?\n/, 1)
  if (header === HEADER.join()) return { csv: text, note: '' }
  const records = z.array(record).parse(parse(text, { columns: true, skip_empty_lines: true }))
  return { csv: csvOf(records.map(completed)), note: ', columns that it lacks made up' }
}

/** A file for looking tokens up has three columns. */
function completed(found: DumpRecord): DumpRecord {
  const exchange_token = String(Number(found.instrument_token) >>> 8)
  const madeUp = { exchange_token, name: '', last_price: '0', expiry: '', strike: '0', tick_size: '0.05' }
  return { ...madeUp, lot_size: '1', instrument_type: 'EQ', segment: found.exchange ?? '', ...found }
}

function csvOf(records: readonly DumpRecord[]): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const lines = records.map((each) => HEADER.map((column) => quoted(each[column] ?? '')).join())
  return `${[HEADER.join(), ...lines].join('\n')}\n`
}
