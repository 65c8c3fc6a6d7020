// Fails below 90 % of lines, measured over everything that ships and the simulator.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const LINES_MIN = 90

const summary = z.object({
  total: z.object({ lines: z.object({ total: z.number(), covered: z.number(), pct: z.number() }) }),
})
const { lines } = summary.parse(JSON.parse(await readFile('coverage/coverage-summary.json', 'utf8'))).total
console.log(
  `Coverage: ${lines.pct} % of lines (${lines.covered} of ${lines.total}), at least ${LINES_MIN} % wanted`,
)
process.exitCode = lines.pct >= LINES_MIN ? 0 : 1
