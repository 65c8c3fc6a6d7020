import { optionChainAnswer, type Question } from '@ticker/shared/commands'
import { expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { fakeChains, NIFTY_CHAIN } from '../testing/fake-chains.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { createAnswers } from './answers.ts'

const asked = { kind: 'question', id: 'q', deadline_ms: 1 } as const
const chainOf = (underlying: string): Question => ({
  ...asked,
  call: 'option_chain',
  params: { owner: 'desk', request: { underlying } },
})

it('each question has its answer, for the owner it is asked for', async () => {
  const none = { quotes: [], unknown: [], synthetic: true, answered_at: '2026-11-25T10:00:00.000Z' }
  const answer = createAnswers({
    clock: systemClock,
    instanceStatus: () => ({ epoch: 7 }),
    optionChains: fakeChains,
    quotes: ({ owner, instruments }) => ({ ...none, unknown: [owner, ...instruments] }),
  })
  const result = async (question: Question) => {
    const given = await answer(question)
    return given.ok ? given.result : given.code
  }
  expect(await result({ ...asked, call: 'instance_status', params: {} })).toEqual({ epoch: 7 })
  expect(await result({ ...asked, call: 'quotes', params: { owner: 'desk', instruments: [5] } })).toEqual({
    ...none,
    unknown: ['desk', 5],
  })
  expect(optionChainAnswer.parse(await result(chainOf('NIFTY')))).toEqual({ chain: NIFTY_CHAIN })
  expect(optionChainAnswer.parse(await result(chainOf('NOSUCH')))).toMatchObject({ refusal: 'chain_unknown' })
})

it('after a question that took long it rests, so that questions never have more than a fifth of the time', async () => {
  const clock = fakeClock()
  const answer = createAnswers({
    clock,
    instanceStatus: () => clock.jumpMonotonic(10),
    optionChains: fakeChains,
    quotes: () => ({ quotes: [], unknown: [], synthetic: true, answered_at: '' }),
  })
  let answered = false
  const answering = answer({ ...asked, call: 'instance_status', params: {} }).then(() => {
    answered = true
  })
  await clock.advance(39)
  expect(answered).toBe(false)
  await clock.advance(1)
  await answering
})
