import { parseKeyRing } from '@ticker/shared/crypto'
import { expect, test } from 'vitest'
import { newLoginState, readLoginState } from './login-state.ts'

const key = (name: string, fill: string) => `${name}:${btoa(fill.repeat(32))}`
const old = parseKeyRing('TICKET_KEYS', key('k1', 'a'))
const rotated = parseKeyRing('TICKET_KEYS', `${key('k2', 'b')},${key('k1', 'a')}`)

test('a state reads back under any key of the ring, and not under another', async () => {
  const { nonce, state } = await newLoginState(old)
  expect(await readLoginState(old, state)).toBe(nonce)
  expect(await readLoginState(rotated, state)).toBe(nonce)
  expect(await readLoginState(parseKeyRing('TICKET_KEYS', key('k1', 'c')), state)).toBeUndefined()
  expect(await readLoginState(parseKeyRing('TICKET_KEYS', key('k9', 'a')), state)).toBeUndefined()
})

test('one changed character is enough to refuse it', async () => {
  const { state } = await newLoginState(old)
  for (const at of [0, state.length - 1]) {
    const flipped = state[at] === '0' ? '1' : '0'
    expect(await readLoginState(old, state.slice(0, at) + flipped + state.slice(at + 1))).toBeUndefined()
  }
  expect(await readLoginState(old, '')).toBeUndefined()
})
