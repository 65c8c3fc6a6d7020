// GTTs and the conversion of positions over HTTP. Lost replies and timeouts strike them as they strike orders.
import { Hono } from 'hono'
import { authenticate } from './authenticate.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'
import { formOf } from './form.ts'
import { struckAnswers } from './struck.ts'

export function gttRoutes(parts: RestParts): Hono<RestEnv> {
  const { desk, gtts } = parts
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)
  const answer = struckAnswers(parts)

  app.get('/gtt/triggers', gate, (c) => success(c, gtts.rows(c.get('user').user_id)))
  app.get('/gtt/triggers/:id', gate, (c) => {
    const found = gtts.row(c.get('user'), c.req.param('id'))
    return found.ok ? success(c, found.value) : refuse(c, found.refusal)
  })
  app.post('/gtt/triggers', gate, async (c) => {
    const form = await formOf(c)
    return answer(c, 'gtt_place', () => gtts.place(c.get('user'), form))
  })
  app.put('/gtt/triggers/:id', gate, async (c) => {
    const [id, form] = [c.req.param('id'), await formOf(c)]
    return answer(c, 'gtt_modify', () => gtts.modify(c.get('user'), id, form))
  })
  app.delete('/gtt/triggers/:id', gate, (c) =>
    answer(c, 'gtt_delete', () => gtts.remove(c.get('user'), c.req.param('id'))),
  )
  app.put('/portfolio/positions', gate, async (c) => {
    const form = await formOf(c)
    return answer(c, 'convert', () => desk.convert(c.get('user'), form))
  })
  return app
}
