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
