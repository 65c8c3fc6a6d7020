// What this instance answers to the control plane's questions.
import type { Answer, OptionChainAnswer, Question } from '@ticker/shared/commands'
import type { AccountRead, ConnectedClients } from '@ticker/shared/domain'
import type { PortfolioAnswer } from '../broker-reads/portfolio.ts'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { OptionChains } from '../option-chain/option-chains.ts'

export interface AnswersDeps {
  instanceStatus(): unknown
  streamClients(owner: string): ConnectedClients
  optionChains: OptionChains
  quotes: ReadQuotes
  portfolio(read: AccountRead): Promise<PortfolioAnswer>
}

export function createAnswers(deps: AnswersDeps): (question: Question) => Answer | Promise<Answer> {
  function resultOf({ call, params }: Question): unknown {
    switch (call) {
      case 'instance_status':
        return deps.instanceStatus()
      case 'stream_clients':
        return deps.streamClients(params.owner)
      case 'option_chain':
        return chainAnswer(deps.optionChains.read(params.owner, params.request))
      case 'quotes':
        return deps.quotes(params)
      case 'account_read':
        return deps.portfolio(params)
    }
  }

  return (question) => {
    const result = resultOf(question)
    return result instanceof Promise ? result.then(answered) : answered(result)
  }
}

const answered = (result: unknown): Answer => ({ ok: true, result })

function chainAnswer(outcome: ReturnType<OptionChains['read']>): OptionChainAnswer {
  return outcome.ok ? { chain: outcome.chain } : { refusal: outcome.refusal, detail: outcome.detail }
}
