// What the instance says of a chain, in the words of the API.
import { optionChainAnswer } from '@ticker/shared/commands'
import type { ChainRefused, OptionChain, OptionChainRequest } from '@ticker/shared/domain'
import { askOwnersInstance } from '../command-channel/ask-owner.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, type Refusal } from '../http/problem.ts'

export async function readOptionChain(
  call: Call,
  request: OptionChainRequest,
): Promise<Outcome<OptionChain>> {
  const params = { owner: call.actor.owner, request }
  const asked = await askOwnersInstance(call, { call: 'option_chain', params }, optionChainAnswer)
  if (!asked.ok) return asked
  const answer = asked.value
  return 'chain' in answer ? done(answer.chain) : { ok: false, refusal: refusalOf(answer) }
}

function refusalOf({ refusal, detail }: ChainRefused): Refusal {
  switch (refusal) {
    case 'chain_unknown':
      return { code: 'option_chain_not_found', detail }
    case 'chain_not_streamed':
      return { code: 'option_chain_not_streamed', detail }
    case 'exchange_ambiguous':
      return { code: 'invalid_request', errors: [{ path: 'exchange', message: detail }] }
  }
}
