// What this instance answers to the control plane's questions. They have a fifth of the time at most, however many are
// asked: after each it rests for as long as that takes, so that ticks and orders do not wait for a flood of questions.
import type { Answer, OptionChainAnswer, Question } from '@ticker/shared/commands'
import type { Clock } from '../clock.ts'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { OptionChains } from '../option-chain/option-chains.ts'

const REST_TIMES = 4

export interface AnswersDeps {
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  instanceStatus(): unknown
  optionChains: OptionChains
  quotes: ReadQuotes
}

export function createAnswers(deps: AnswersDeps): (question: Question) => Promise<Answer> {
  const { clock } = deps

  function resultOf({ call, params }: Question): unknown {
    switch (call) {
      case 'instance_status':
        return deps.instanceStatus()
      case 'option_chain':
        return chainAnswer(deps.optionChains.read(params.owner, params.request))
      case 'quotes':
        return deps.quotes(params)
    }
  }

  return async (question) => {
    const startedMs = clock.monotonicMs()
    const result = resultOf(question)
    await clock.sleep(REST_TIMES * (clock.monotonicMs() - startedMs))
    return { ok: true, result }
  }
}

function chainAnswer(outcome: ReturnType<OptionChains['read']>): OptionChainAnswer {
  return outcome.ok ? { chain: outcome.chain } : { refusal: outcome.refusal, detail: outcome.detail }
}
