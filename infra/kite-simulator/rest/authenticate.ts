// The gate of every authenticated route: token, rate limit, and the broker's answering time.
import { createMiddleware } from 'hono/factory'
import { TOKEN_REFUSED, TOO_MANY_REQUESTS } from '../refusal.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse } from './envelope.ts'
import { limitClassOf, RateLimiter } from './rate-limit.ts'

export function authenticate({ users, clock, tasks, random, replyDelayMs, rateLimits }: RestParts) {
  const limiter = new RateLimiter()
  return createMiddleware<RestEnv>(async (c, next) => {
    const [, apiKey = '', accessToken = ''] =
      /^token ([^:]+):(.+)$/.exec(c.req.header('authorization') ?? '') ?? []
    const user = users.authenticate(apiKey, accessToken)
    if (user === null) return refuse(c, TOKEN_REFUSED)
    const limitClass = limitClassOf(c.req.method, c.req.path)
    if (rateLimits && !limiter.admit(user.user_id, limitClass, clock.wallMs()))
      return refuse(c, TOO_MANY_REQUESTS)
    await tasks.sleep(random.int(...replyDelayMs))
    c.set('user', user)
    return next()
  })
}
