import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { launchersOf, watchLaunchers } from './launchers.ts'
import { findProcess, type RunningProcess } from './processes.ts'

/** The outermost first; each the parent of the next. */
function chainOf(...commands: string[][]) {
  const processes = commands.map((command, index): RunningProcess => {
    return { pid: index + 1, parent: index, started: '1', command }
  })
  return launchersOf(commands.length, (pid) => processes[pid - 1]).map(({ command }) => command.join(' '))
}
const DEV = ['node', 'infra/local/dev.ts']

test.each([
  ['a terminal', ['-bash']],
  ['a script', ['bash', './start-it.sh']],
  ['setsid', ['setsid', 'npx', 'pnpm', 'dev']],
])('npx, its shell and pnpm are the launchers, %s above them is not', (_, above) => {
  const npx = [['npm exec pnpm dev'], ['sh', '-c', 'pnpm dev'], ['pnpm', 'dev']]
  expect(chainOf(['init'], above, ...npx, DEV)).toEqual(['pnpm dev', 'sh -c pnpm dev', 'npm exec pnpm dev'])
})

test('package managers that are scripts of Node are known by the script', () => {
  const [npx, pnpm] = [
    ['node', '/usr/lib/bin/npx-cli.js', 'pnpm', 'dev'],
    ['node', '/x/pnpm.cjs', 'dev'],
  ]
  expect(chainOf(['bash'], npx, pnpm, DEV)).toEqual([pnpm.join(' '), npx.join(' ')])
})

test('started without a package manager there is none to watch', () => {
  expect(chainOf(['init'], ['bash'], ['bash', 'pnpm-like.sh'], DEV)).toEqual([])
  expect(chainOf(['init'], DEV)).toEqual([])
  expect(chainOf(['npm', 'x'], ['supervisor'], DEV)).toEqual([])
})

test('tells once when one of them has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const [own, other] = [findProcess(process.pid), findProcess(child.pid ?? -1)]
  if (!own || !other) throw new Error('not found in /proc')
  expect(other.parent).toBe(process.pid)
  let gone = 0
  const told = new Promise<void>((resolve) => {
    watchLaunchers([own, other], 5, () => {
      gone += 1
      resolve()
    })
  })
  expect(gone).toBe(0)
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await told
  await closed
  expect(gone).toBe(1)
})
