// The answer to a write that was stored: as it is when the caller no longer waits, with the headers that say so.
import { PENDING_WRITE_STATES, type WriteState } from '@ticker/shared/domain'
import type { Context } from 'hono'
import type { AppEnv } from '../dependencies.ts'
import type { Call } from '../http/call.ts'
import { waitSeconds } from '../http/prefer.ts'
import { settle } from '../http/problem.ts'
import { WAIT_S_MAX } from '../orders/wait.ts'
import type { writesOf } from './read-write.ts'
import type { StoredWrite } from './store-write.ts'

export async function answered<Write extends { id: string; state: WriteState }>(
  c: Context<AppEnv>,
  call: Call,
  writes: Pick<ReturnType<typeof writesOf<Write>>, 'get' | 'wait'>,
  stored: StoredWrite,
  { path, prefer }: { path: string; prefer: string | undefined },
): Promise<{ write: Write; status: 200 | 202 }> {
  const seconds = waitSeconds(prefer, WAIT_S_MAX)
  const first = settle(await writes.get(call, stored.id))
  const write = seconds === undefined ? first : await writes.wait(call, first, seconds)
  c.header('Location', `${path}/${write.id}`)
  if (seconds !== undefined) c.header('Preference-Applied', `wait=${seconds}`)
  if (stored.replayed) c.header('Idempotent-Replay', 'true')
  const isOpen = PENDING_WRITE_STATES.includes(write.state) || write.state === 'UNKNOWN'
  return { write, status: isOpen ? 202 : 200 }
}
