// What this instance answers to the control plane's questions.
import type { Answer, OptionChainAnswer, Question } from '@ticker/shared/commands'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { OptionChains } from '../option-chain/option-chains.ts'

export function createAnswers(deps: {
  instanceStatus(): unknown
  optionChains: OptionChains
  quotes: ReadQuotes
}) {
  return async ({ call, params }: Question): Promise<Answer> => {
    switch (call) {
      case 'instance_status':
        return { ok: true, result: deps.instanceStatus() }
      case 'option_chain': {
        const outcome = deps.optionChains.read(params.owner, params.request)
        const result: OptionChainAnswer = outcome.ok
          ? { chain: outcome.chain }
          : { refusal: outcome.refusal, detail: outcome.detail }
        return { ok: true, result }
      }
      case 'quotes':
        return { ok: true, result: deps.quotes(params) }
    }
  }
}
