// `pnpm bench [decode|allocation|publish|ingest|fan-out|pool|worker-size|api|simulator-rate] [--write]`: baseline and ours in one run. --write
// puts a whole run's table into docs/benchmarks.md.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../local/system.ts'
import { allocation } from './allocation.ts'
import { api } from './api.ts'
import { decode } from './decode.ts'
import { fanOut } from './fan-out.ts'
import { ingest } from './ingest.ts'
import type { Row } from './measure.ts'
import { pool } from './pool.ts'
import { publish } from './publish.ts'
import { simulatorRate } from './simulator-rate.ts'
import { workerSize } from './worker-size.ts'

const BENCHES: Record<string, () => Promise<Row[]>> = {
  decode,
  allocation,
  publish,
  ingest,
  'fan-out': fanOut,
  pool,
  'worker-size': workerSize,
  api,
  'simulator-rate': simulatorRate,
}
const [START, END] = ['<!-- results -->', '<!-- /results -->']

const args = process.argv.slice(2)
const named = args.filter((argument) => !argument.startsWith('--'))
const unknown = named.find((name) => !BENCHES[name])
if (unknown) {
  console.error(`No benchmark "${unknown}". There are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(1)
}
const rows: Row[] = []
for (const [name, bench] of Object.entries(BENCHES)) {
  if (named.length > 0 && !named.includes(name)) continue
  console.log(`${name} …`)
  rows.push(...(await bench()))
}
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; shared machine`
const table = [
  '| | Measured | Wanted |',
  '|---|---|---|',
  ...rows.map((row) => `| ${row.what} | ${row.value} | ${row.target} |`),
].join('\n')
console.log(`\n${machine}\n\n${table}`)

if (args.includes('--write')) {
  const path = join(ROOT, 'docs/benchmarks.md')
  const text = await readFile(path, 'utf8')
  const before = text.slice(0, text.indexOf(START) + START.length)
  await writeFile(path, `${before}\n\n${machine}\n\n${table}\n\n${text.slice(text.indexOf(END))}`)
}
process.exit(0)
