import { optionChainAnswer, type Question } from '@ticker/shared/commands'
import { expect, it } from 'vitest'
import { fakeChains, NIFTY_CHAIN } from '../testing/fake-chains.ts'
import { createAnswers } from './answers.ts'

const asked = { kind: 'question', id: 'q', deadline_ms: 1 } as const
const chainOf = (underlying: string): Question => ({
  ...asked,
  call: 'option_chain',
  params: { owner: 'desk', request: { underlying } },
})

it('each question has its answer, for the owner it is asked for', async () => {
  const none = {
    quotes: [],
    unknown: [],
    fallback: null,
    synthetic: true,
    answered_at: '2026-11-25T10:00:00.000Z',
  }
  const answer = createAnswers({
    instanceStatus: () => ({ epoch: 7 }),
    streamClients: (owner) => ({ clients: [], left_out: owner.length }),
    optionChains: fakeChains,
    quotes: ({ owner, instruments, fallback }) => {
      const said = { ...none, unknown: [owner, ...instruments] }
      return fallback ? Promise.resolve(said) : said
    },
    portfolio: async ({ account_id }) => ({ refusal: 'not_owned', detail: account_id }),
  })
  const result = (question: Question) => {
    const given = answer(question)
    if (given instanceof Promise) throw new Error('it has to wait')
    return given.ok ? given.result : given.code
  }
  expect(result({ ...asked, call: 'instance_status', params: {} })).toEqual({ epoch: 7 })
  expect(result({ ...asked, call: 'stream_clients', params: { owner: 'desk' } })).toEqual({
    clients: [],
    left_out: 4,
  })
  expect(result({ ...asked, call: 'quotes', params: { owner: 'desk', instruments: [5] } })).toEqual({
    ...none,
    unknown: ['desk', 5],
  })
  const later = answer({
    ...{ ...asked, call: 'quotes' },
    params: { owner: 'desk', instruments: [5], fallback: 'broker' },
  })
  expect(later).toBeInstanceOf(Promise)
  expect(await later).toEqual({ ok: true, result: { ...none, unknown: ['desk', 5] } })
  const params = { owner: 'desk', account_id: 'a', reading: { read: 'funds' } } as const
  expect(await answer({ ...asked, call: 'account_read', params })).toEqual({
    ...{ ok: true, result: { refusal: 'not_owned', detail: 'a' } },
  })
  expect(optionChainAnswer.parse(result(chainOf('NIFTY')))).toEqual({ chain: NIFTY_CHAIN })
  expect(optionChainAnswer.parse(result(chainOf('NOSUCH')))).toMatchObject({ refusal: 'chain_unknown' })
})
