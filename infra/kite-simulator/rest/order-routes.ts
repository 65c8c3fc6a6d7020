// Orders over HTTP, with the faults that strike between a request and its reply: the two moments in which a client
// cannot know what happened.
import { Hono } from 'hono'
import { refused } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'
import { formOf } from './form.ts'
import { struckAnswers } from './struck.ts'

export function orderRoutes(parts: RestParts): Hono<RestEnv> {
  const { desk, books } = parts
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)

  const answer = struckAnswers(parts)

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
