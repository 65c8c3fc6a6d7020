// Asks the instance that has the owner's ticks.
import { optionChainAnswer } from '@ticker/shared/commands'
import type { ChainRefused, OptionChain, OptionChainRequest } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { instanceOf } from '../command-channel/instance-of.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, type Refusal, refused } from '../http/problem.ts'

const NO_INSTANCE_RETRY_AFTER_S = 5

export async function readOptionChain(
  call: Call,
  request: OptionChainRequest,
): Promise<Outcome<OptionChain>> {
  const { db, commandChannel } = call.deps
  const { owner } = call.actor
  const [instance] = await db.rows(
    z.object({ id: z.string() }),
    sql`select i.id from ${instanceOf(call.actor)}`,
  )
  if (!instance) return refused('data_plane_unreachable', { retryAfterS: NO_INSTANCE_RETRY_AFTER_S })
  const asked = await commandChannel.ask(instance.id, { call: 'option_chain', params: { owner, request } })
  if (asked.kind === 'unreachable')
    return refused('data_plane_unreachable', { retryAfterS: asked.retryAfterS })
  const answer = optionChainAnswer.parse(asked.result)
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
