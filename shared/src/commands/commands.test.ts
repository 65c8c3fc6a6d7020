import { expect, it } from 'vitest'
import { commandStreamKey, parseCommand } from './index.ts'

it('parses nudges and questions, and tells everything else apart without throwing', () => {
  expect(parseCommand('{"kind":"nudge","subject":"fleet"}')).toEqual({ kind: 'nudge', subject: 'fleet' })
  expect(parseCommand('{"kind":"nudge","subject":{"account_id":"desk1"}}')?.kind).toBe('nudge')
  const question = { kind: 'question', id: 'q1', call: 'instance_status', params: {}, deadline_ms: 1 }
  expect(parseCommand(JSON.stringify(question))).toEqual(question)
  for (const text of [undefined, '', '{', 'null', '{"kind":"nudge"}', '{"kind":"question","id":""}', '[]']) {
    expect(parseCommand(text)).toBeUndefined()
  }
})

it('keeps the realms apart by key', () => {
  expect(commandStreamKey('sim', 'a')).not.toBe(commandStreamKey('live', 'a'))
})
