// Arms, lists and removes faults; those that act once are not kept.
import { Hono } from 'hono'
import { type Fault, faultSchema } from '../faults/fault-schema.ts'
import type { Faults } from '../faults/faults.ts'
import { inputRefused, refused } from '../refusal.ts'
import type { RestEnv } from '../rest/env.ts'
import { refuse, success } from '../rest/envelope.ts'
import type { TickerServer } from '../ticker/ticker-server.ts'
import type { UserStore } from '../users/user-store.ts'
import { parsed } from './body.ts'

export interface FaultControlParts {
  users: UserStore
  ticker: TickerServer
  faults: Faults
}

export function faultControl({ users, ticker, faults }: FaultControlParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>()

  app.get('/faults', (c) => success(c, faults.list()))
  app.post('/faults', async (c) => {
    const body = await parsed(c, faultSchema)
    if (!body.ok) return body.response
    const fault = body.value
    if (fault.user_id !== undefined && users.get(fault.user_id) === null) {
      return refuse(c, refused(404, 'InputException', 'no such user_id'))
    }
    if ('socket' in fault && typeof fault.socket === 'string' && !ticker.hasSocket(fault.socket)) {
      return refuse(c, refused(404, 'InputException', 'no such socket is open'))
    }
    if (fault.kind === 'drop_socket') return success(c, { dropped: ticker.dropSockets(fault) })
    if (fault.kind === 'token_dead') return success(c, { dead: killTokens(fault) })
    const armed = faults.arm(fault)
    ticker.faultArmed()
    return armed === null ? refuse(c, inputRefused('too many faults are armed')) : success(c, armed)
  })
  app.delete('/faults', (c) => {
    faults.clear()
    return success(c, true)
  })
  app.delete('/faults/:id', (c) =>
    faults.remove(c.req.param('id'))
      ? success(c, true)
      : refuse(c, refused(404, 'InputException', 'no such fault')),
  )
  return app

  function killTokens({ user_id, sockets }: Extract<Fault, { kind: 'token_dead' }>): number {
    const killed = users
      .all()
      .filter((user) => user.session !== null && (user_id ?? user.user_id) === user.user_id)
    for (const user of killed) {
      users.logout(user)
      if (sockets === 'close') ticker.dropSockets({ user_id: user.user_id })
    }
    return killed.length
  }
}
