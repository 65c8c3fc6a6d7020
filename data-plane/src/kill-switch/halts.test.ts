import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { observedAccount } from '../testing/owned-accounts.ts'
import { createHalts } from './halts.ts'

let stateDir: string
const running: (() => Promise<void>)[] = []
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'ticker-halts-'))
})
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
  rmSync(stateDir, { recursive: true, force: true })
})

const fileText = () => readFileSync(join(stateDir, 'halt.json'), 'utf8')

function setup(store = { halt: async (_accounts: readonly string[], _reason: string): Promise<void> => {} }) {
  const halt = vi.fn(store.halt)
  const halts = createHalts({ stateDir, store: { halt }, clock: systemClock, log: silentLog })
  const start = () => {
    const controller = new AbortController()
    const ended = halts.run(controller.signal).catch(() => {})
    running.push(() => {
      controller.abort()
      return ended
    })
  }
  return { halts, halt, start }
}
const seen = (own_trading_state: 'HALTED' | 'ACTIVE') => [observedAccount('a', { own_trading_state })]

it('halts in memory at once, then in the file, then in Postgres', async () => {
  const { halts, halt, start } = setup()
  const written = halts.add(['a', 'b'], 'too much')
  expect([halts.isHalted('a'), halts.isHalted('c')]).toEqual([true, false])
  await written
  expect(JSON.parse(fileText()).halts).toMatchObject([
    { account_id: 'a', reason: 'too much' },
    { account_id: 'b' },
  ])
  start()
  await vi.waitFor(() => expect(halt).toHaveBeenCalledWith(['a', 'b'], 'too much'))
})

it('a start takes the stricter: what the file halts is halted, and Postgres is told', async () => {
  await setup().halts.add(['a'], 'too much')
  const { halts, halt, start } = setup()
  halts.look(seen('ACTIVE'))
  halts.look(seen('ACTIVE'))
  halts.look(seen('ACTIVE'))
  expect(halts.isHalted('a')).toBe(true)
  start()
  await vi.waitFor(() => expect(halt).toHaveBeenCalledTimes(1))
})

it('a person’s later word in Postgres releases it, in the file too', async () => {
  const { halts, halt, start } = setup()
  start()
  await halts.add(['a'], 'too much')
  await vi.waitFor(() => expect(halt).toHaveBeenCalledTimes(1))
  halts.look(seen('HALTED'))
  expect(halts.isHalted('a')).toBe(true)
  halts.look(seen('ACTIVE'))
  expect(halts.isHalted('a')).toBe(false)
  await vi.waitFor(() => expect(JSON.parse(fileText()).halts).toEqual([]))
})

it('a look from before it was stored releases nothing', async () => {
  const { halts, halt, start } = setup()
  start()
  await halts.add(['a'], 'too much')
  await vi.waitFor(() => expect(halt).toHaveBeenCalledTimes(1))
  halts.look(seen('ACTIVE'))
  expect(halts.isHalted('a')).toBe(true)
})

it('a file that cannot be read stops the start; one that cannot be written stops nothing', async () => {
  writeFileSync(join(stateDir, 'halt.json'), '{')
  expect(() => setup()).toThrow(/halt.json cannot be read: mend it/)
  rmSync(join(stateDir, 'halt.json'))
  mkdirSync(join(stateDir, 'halt.json'))
  expect(() => setup()).toThrow(/cannot be read, and may say what is halted/)
  rmSync(stateDir, { recursive: true })
  writeFileSync(stateDir, 'a file in place of the folder')
  expect(() => setup()).toThrow()
  rmSync(stateDir)
  const { halts } = setup()
  writeFileSync(stateDir, 'a file in place of the folder')
  await halts.add(['a'], 'too much')
  expect(halts.isHalted('a')).toBe(true)
})
