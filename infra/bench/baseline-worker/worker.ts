// The least a Worker with a database can do: one Hono route, one SQL read. What the API's latency is measured against.
import { neon, neonConfig } from '@neondatabase/serverless'
import { Hono } from 'hono'

interface Env {
  DATABASE_URL: string
  NEON_HTTP_ENDPOINT: string
}

const app = new Hono<{ Bindings: Env }>()
app.get('/', async (c) => {
  neonConfig.fetchEndpoint = c.env.NEON_HTTP_ENDPOINT
  return c.json(await neon(c.env.DATABASE_URL)`select id, trading_state from ticker.fleet`)
})

export default app
