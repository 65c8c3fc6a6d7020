// `pnpm bench [name …] [--write] [--minutes n] [--dumps DIR]`: baseline and ours in one run. Without a name all but the long
// ones run; `registry --dumps DIR` loads each instrument dump of that folder instead of generated ones;
// --write puts what was measured into docs/: the table of a whole run, the section and the plots of a long one.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../local/child.ts'
import { allocation } from './allocation.ts'
import { api } from './api.ts'
import { candles } from './candles.ts'
import { decode } from './decode.ts'
import { fanOut } from './fan-out.ts'
import { flushCost } from './flush-cost.ts'
import { growth } from './growth.ts'
import { history } from './history.ts'
import { ingest } from './ingest.ts'
import { ingestBeside } from './ingest-beside.ts'
import { killSwitch } from './kill-switch.ts'
import type { Row } from './measure.ts'
import { optionChain } from './option-chain.ts'
import { orders } from './orders.ts'
import { pool } from './pool.ts'
import { publish } from './publish.ts'
import { registry } from './registry.ts'
import { registryDumps } from './registry-dumps.ts'
import { markdownTable, type Report, withSection } from './report.ts'
import { simulatorRate } from './simulator-rate.ts'
import { soak } from './soak.ts'
import { workerSize } from './worker-size.ts'

const { values, positionals: named } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    write: { type: 'boolean' },
    minutes: { type: 'string', default: '30' },
    dumps: { type: 'string' },
  },
  allowPositionals: true,
})
const BENCHES: Record<string, () => Promise<Row[]>> = {
  decode,
  allocation,
  publish,
  'flush-cost': flushCost,
  ingest,
  'ingest-beside': ingestBeside,
  'fan-out': fanOut,
  history,
  'option-chain': optionChain,
  candles,
  pool,
  registry: () => (values.dumps === undefined ? registry() : registryDumps(values.dumps)),
  'worker-size': workerSize,
  api,
  'kill-switch': killSwitch,
  orders,
  'simulator-rate': simulatorRate,
}
/** Many minutes each: run by name. */
const LONG: Record<string, () => Promise<Report>> = { growth, soak: () => soak(Number(values.minutes)) }

const unknown = named.find((name) => !BENCHES[name] && !LONG[name])
if (unknown || !(Number(values.minutes) > 0)) {
  console.error(
    unknown
      ? `No benchmark "${unknown}". There are: ${Object.keys({ ...BENCHES, ...LONG }).join(', ')}`
      : `--minutes ${values.minutes}: not a number above 0`,
  )
  process.exit(1)
}
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; shared machine`
const docs = join(ROOT, 'docs')

const rows: Row[] = []
for (const [name, bench] of Object.entries(BENCHES)) {
  if (named.length > 0 && !named.includes(name)) continue
  console.log(`${name} …`)
  rows.push(...(await bench()))
}
if (rows.length > 0) {
  const table = markdownTable([
    ['', 'Measured', 'Wanted'],
    ...rows.map(({ what, value, target }) => [what, value, target]),
  ])
  await finish('results', { markdown: table, files: {} }, named.length === 0)
}
for (const [name, bench] of Object.entries(LONG)) {
  if (!named.includes(name)) continue
  console.log(`${name} …`)
  await finish(name, await bench(), true)
}
process.exit(0)

/** Prints it; `isWhole`: it may take the place of what is in docs/. */
async function finish(section: string, { markdown, files }: Report, isWhole: boolean) {
  const body = `${machine}\n\n${markdown}`
  console.log(`\n${body}`)
  if (!values.write) return
  if (!isWhole) return console.log('\nNot written: the table in docs/ is of a whole run.')
  const path = join(docs, 'benchmarks.md')
  await writeFile(path, withSection(await readFile(path, 'utf8'), section, body))
  for (const [name, content] of Object.entries(files)) await writeFile(join(docs, name), content)
}
