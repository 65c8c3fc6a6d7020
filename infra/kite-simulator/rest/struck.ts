// The faults that strike between a write and its reply: the two moments in which a client cannot know what happened.
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { RequestFaultKind, RequestVerb } from '../faults/fault-schema.ts'
import { inputRefused, type Outcome, TOO_MANY_REQUESTS } from '../refusal.ts'
import type { RestContext, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'

/** How long a reply that never comes keeps the connection open before the simulator resets it. */
export const HANG_MS = 30_000
const TIMED_OUT = inputRefused(
  'Order request timed out. Please check the order book and confirm before placing again.',
)

/** What the request does, and what of its reply comes through. */
export function struckAnswers({ faults, tasks }: Pick<RestParts, 'faults' | 'tasks'>) {
  return async (c: RestContext, verb: RequestVerb, act: () => Outcome<unknown>): Promise<Response> => {
    const { user_id: userId } = c.get('user')
    const struck = <K extends RequestFaultKind>(kind: K) => faults.takeOfRequest(kind, userId, verb)
    if (struck('order_429') !== null) return refuse(c, TOO_MANY_REQUESTS)
    if (struck('never_arrives') !== null) return cutConnection(c)
    const outcome = act()
    if (struck('timeout_400') !== null) return refuse(c, TIMED_OUT)
    const lost = struck('lose_reply')
    if (lost?.how === 'reset') return cutConnection(c)
    if (lost !== null) {
      await tasks.sleep(HANG_MS)
      return cutConnection(c)
    }
    return outcome.ok ? success(c, outcome.value) : refuse(c, outcome.refusal)
  }
}

/** The client sees a reset instead of an answer. */
function cutConnection(c: RestContext): Response {
  c.env.incoming.socket.resetAndDestroy()
  return RESPONSE_ALREADY_SENT
}
