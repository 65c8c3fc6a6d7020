// Prints "passed failed" from vitest's JSON report, for the last line of .ci/run.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numFailedTestSuites: z.number(),
  success: z.boolean(),
})

const { numPassedTests, numFailedTests, numFailedTestSuites, success } = report.parse(
  JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')),
)
// A suite that could not even start, or an error outside any test, is a failure too.
console.log(`${numPassedTests} ${numFailedTests || (success ? 0 : Math.max(1, numFailedTestSuites))}`)
