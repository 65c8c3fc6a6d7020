import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findProcess } from './processes.ts'
import { claimState, clearState, NoState, StateInUse } from './state-lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ticker-claim-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const leave = (content: string) => writeFileSync(join(folder, 'running.json'), content)
const parent = findProcess(process.ppid)

test('refused while the process that claimed it lives, naming it and what to do', () => {
  leave(JSON.stringify({ pid: parent?.pid, started: parent?.started }))
  expect(() => claimState(folder)).toThrow(StateInUse)
  expect(() => claimState(folder)).toThrow(new RegExp(`process ${process.ppid}, ${folder}`))
  expect(() => claimState(folder)).toThrow(`kill ${process.ppid}`)
})

test.each([
  ['of a process that has ended', JSON.stringify({ pid: 2 ** 30, started: '1' })],
  ['of an earlier process with the same pid', JSON.stringify({ pid: process.ppid, started: '1' })],
  ['that cannot be read', '{'],
])('a claim %s is none', (_, left) => {
  leave(left)
  claimState(folder)
  expect(() => claimState(folder)).toThrow(`process ${process.pid}`)
})

test('of two that find the same claim left behind, one gets the folder', async () => {
  const script = `
    const { claimState } = await import(process.argv[1])
    while (Date.now() < Number(process.argv[3]));
    try { claimState(process.argv[2]); console.log('claimed'); process.stdin.resume() }
    catch (error) { console.log(error.constructor.name); process.exit() }`
  const module = join(import.meta.dirname, 'state-lock.ts')
  for (let round = 0; round < 4; round++) {
    leave(JSON.stringify({ pid: 2 ** 30, started: '1' }))
    const startMs = Date.now() + 700
    const starts = Array.from({ length: 2 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script, module, folder, String(startMs)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    const said = await Promise.all(starts.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))
    const ended = starts.map((start) => start.exitCode ?? once(start, 'exit'))
    for (const { stdin } of starts) stdin.end()
    await Promise.all(ended)
    expect(said.map((line) => line.trim()).sort()).toEqual(['StateInUse', 'claimed'])
  }
})

test('a folder that does not exist yet is made, and clearing it keeps the claim', () => {
  const state = join(folder, 'deep', 'state')
  claimState(state)
  clearState(state)
  for (const file of ['keys.json', 'env.json']) writeFileSync(join(state, file), '{}')
  clearState(state)
  expect(readdirSync(state)).toEqual(['running.json'])
})

test('a folder with things of others is not cleared', () => {
  claimState(folder)
  writeFileSync(join(folder, 'thesis.txt'), 'x')
  expect(() => clearState(folder)).toThrow(NoState)
  expect(readdirSync(folder)).toEqual(['running.json', 'thesis.txt'])
})
