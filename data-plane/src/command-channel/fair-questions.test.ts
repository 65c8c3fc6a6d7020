import type { Question } from '@ticker/shared/commands'
import { expect, it } from 'vitest'
import { createFairQuestions, QUESTIONS_MAX, QUESTIONS_PER_OWNER_MAX } from './fair-questions.ts'

const ask = (owner: string, id: string): Question => ({
  ...{ kind: 'question', id, deadline_ms: 1, call: 'quotes' },
  params: { owner, instruments: [1] },
})
const order = (fair: ReturnType<typeof createFairQuestions>) => {
  const ids: string[] = []
  for (let next = fair.next(); next; next = fair.next()) ids.push(next.id)
  return ids
}

it('takes turns by owner, each owner’s in their order', () => {
  const fair = createFairQuestions()
  for (const id of ['a1', 'a2', 'a3', 'a4']) fair.push(ask('a', id))
  fair.push(ask('b', 'b1'))
  expect(fair.next()?.id).toBe('a1')
  fair.push({ kind: 'question', id: 's1', deadline_ms: 1, call: 'instance_status', params: {} })
  fair.push(ask('b', 'b2'))
  expect(order(fair)).toEqual(['b1', 'a2', 's1', 'b2', 'a3', 'a4'])
  expect([fair.size(), fair.next()]).toEqual([0, undefined])
})

it('is bounded by owner, and in all', () => {
  const fair = createFairQuestions()
  const taken = (owner: string, count: number) =>
    Array.from({ length: count }, (_, n) => fair.push(ask(owner, String(n)))).filter(Boolean).length
  expect(taken('flood', 500)).toBe(QUESTIONS_PER_OWNER_MAX)
  expect(taken('other', 1)).toBe(1)
  for (let owner = 0; owner < 100; owner += 1) taken(String(owner), QUESTIONS_PER_OWNER_MAX)
  expect(fair.size()).toBe(QUESTIONS_MAX)
})
