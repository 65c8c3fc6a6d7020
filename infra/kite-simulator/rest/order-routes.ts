// Orders over HTTP, with the faults that strike between a request and its reply: the two moments in which a client
// cannot know what happened.
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { OrderVerb, RequestFaultKind } from '../faults/fault-schema.ts'
import type { Placed } from '../orders/slices.ts'
import { inputRefused, type Outcome, refused, TOO_MANY_REQUESTS } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestContext, RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'
import { formOf } from './form.ts'

/** How long a reply that never comes keeps the connection open before the simulator resets it. */
export const HANG_MS = 30_000
const TIMED_OUT = inputRefused(
  'Order request timed out. Please check the order book and confirm before placing again.',
)

export function orderRoutes(parts: RestParts): Hono<RestEnv> {
  const { desk, books, faults, tasks } = parts
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)

  /** What the request does, and what of its reply comes through. */
  async function answer(c: RestContext, verb: OrderVerb, act: () => Outcome<Placed>): Promise<Response> {
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

  app.post('/orders/:variety', gate, async (c) => {
    const form = await formOf(c)
    return answer(c, 'place', () => desk.place(c.get('user'), c.req.param('variety'), form))
  })

  app.put('/orders/:variety/:order_id', gate, async (c) => {
    const { variety, order_id: orderId } = c.req.param()
    const form = await formOf(c)
    return answer(c, 'modify', () => desk.modify(c.get('user'), variety, orderId, form))
  })

  app.delete('/orders/:variety/:order_id', gate, (c) => {
    const { variety, order_id: orderId } = c.req.param()
    return answer(c, 'cancel', () => desk.cancel(c.get('user'), variety, orderId))
  })

  app.get('/orders', gate, (c) => success(c, books.rows(c.get('user').user_id)))
  app.get('/trades', gate, (c) => success(c, books.trades(c.get('user').user_id)))
  app.get('/orders/:order_id', gate, (c) => {
    const order = books.find(c.get('user').user_id, c.req.param('order_id'))
    return order === null ? refuse(c, notFound()) : success(c, order.history)
  })
  app.get('/orders/:order_id/trades', gate, (c) => {
    const userId = c.get('user').user_id
    const order = books.find(userId, c.req.param('order_id'))
    return order === null ? refuse(c, notFound()) : success(c, books.trades(userId, order.row.order_id))
  })

  app.get('/portfolio/positions', gate, (c) => {
    const { user_id } = c.get('user')
    return success(c, { net: desk.positions(user_id), day: desk.positions(user_id, 'day') })
  })
  app.get('/portfolio/holdings', gate, (c) => success(c, desk.holdings(c.get('user').user_id)))
  return app
}

function notFound() {
  return refused(404, 'GeneralException', "Couldn't find that `order_id`.")
}

/** The client sees a reset instead of an answer. */
function cutConnection(c: RestContext): Response {
  c.env.incoming.socket.resetAndDestroy()
  return RESPONSE_ALREADY_SENT
}
