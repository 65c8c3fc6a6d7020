// The example programs as people run them, in a folder with the `.dev/env.json` of this system.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addDays, historyPage, istDay } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../../local/child.ts'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const INFY = 408_065
const hasPython = spawnSync('python3', ['--version']).status === 0

export function exampleSuite(desk: () => Desk) {
  describe('the example programs', () => {
    let folder: string
    const started: ChildProcess[] = []
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ticker-examples-'))
      await mkdir(join(folder, '.dev'))
      const { controlPlaneUrl } = desk().system
      await writeFile(
        join(folder, '.dev/env.json'),
        JSON.stringify({ controlPlaneUrl, apiKey: desk().apiKey }),
      )
    })
    afterAll(async () => {
      for (const child of started) child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    })

    function run(file: string, args: string[]) {
      const program = file.endsWith('.py') ? 'python3' : process.execPath
      const child = spawn(program, [join(ROOT, 'docs/examples', file), ...args], {
        cwd: folder,
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
      })
      started.push(child)
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
      const exitCode = once(child, 'close').then(([code]) => code)
      return { child, output: () => output, exitCode }
    }
    async function says(file: string, args: string[], line: RegExp) {
      const { child, output, exitCode } = run(file, args)
      await until(`${file} says ${line}`, async () => {
        if (child.exitCode !== null) throw new Error(`it ended:\n${output()}`)
        return line.test(output())
      })
      child.kill('SIGKILL')
      await exitCode
    }

    it('stream.mjs prints ticks', () =>
      says('stream.mjs', ['NSE:INFY'], new RegExp(`^ticks +\\d+ ${INFY} \\d+`, 'm')))

    it('candles.mjs prints candles as they form', () =>
      says('candles.mjs', ['5s', 'NSE:INFY'], new RegExp(`^${INFY} 20\\S+ (closed|forming) [\\d. ]+`, 'm')))

    it.runIf(hasPython)('sse_ticks.py prints ticks', () =>
      says('sse_ticks.py', ['NSE:INFY'], new RegExp(`^ticks \\d+ ${INFY} \\d+`, 'm')),
    )

    it.runIf(hasPython)('candles.py prints candles as they form', () =>
      says('candles.py', ['5s', 'NSE:INFY'], new RegExp(`^${INFY} (closed|forming) 20\\S+ [\\d. ]+`, 'm')),
    )

    it('order-events.mjs prints the whole log, then what happens', () =>
      says('order-events.mjs', ['demo', '--from-start'], /^demo 1 \S+ \S+/m))

    it.runIf(hasPython)('order_events.py prints the log from a cursor on', () =>
      says('order_events.py', ['demo', '--after', 'demo:1'], /^demo 2 \S+ \S+/m),
    )

    it.runIf(hasPython)(
      'history_csv.py writes every candle of a range, or says why there are none',
      async () => {
        const yesterday = addDays(istDay(Date.now()), -1)
        const range = { interval: '3m', from: addDays(yesterday, -90), to: yesterday }
        const { output, exitCode } = run('history_csv.py', [
          ...['NSE:SBIN', range.interval, range.from, range.to, 'sbin.csv'],
        ])
        expect([await exitCode, output()]).toEqual([0, expect.stringMatching(/^\d+ candles in sbin.csv$/m)])
        const [head, first, ...rest] = (await readFile(join(folder, 'sbin.csv'), 'utf8')).trim().split('\r\n')
        expect(head).toBe('time,open,high,low,close,volume,oi')
        const query = new URLSearchParams({ ...range, limit: '1' })
        const page = await desk().api.call(historyPage, 'GET', `/v1/history/NSE%3ASBIN?${query}`)
        const { time, open, high, low, close, volume, oi } = page.candles[0] ?? {}
        expect(first?.split(',').map((text) => (text === '' ? null : text))).toEqual(
          [time, open, high, low, close, volume, oi].map((value) => (value == null ? null : `${value}`)),
        )
        expect(rest.length + 1).toBe(Number.parseInt(output().match(/\d+(?= candles)/)?.[0] ?? '', 10))
        expect(rest.length).toBeGreaterThan(60 * 100)

        const refused = run('history_csv.py', ['NSE:NOSUCH', '1d', range.from, range.to, 'no.csv'])
        expect([await refused.exitCode, refused.output()]).toEqual([
          1,
          expect.stringContaining('instrument_not_found'),
        ])
      },
    )
  })
}
