// A question to the instance that has the owner's ticks.
import type { Asking } from '@ticker/shared/commands'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { instanceOf } from './instance-of.ts'

const NO_INSTANCE_RETRY_AFTER_S = 5

export async function askOwnersInstance<T>(
  call: Call,
  asking: Asking,
  shape: z.ZodType<T>,
): Promise<Outcome<T>> {
  const { db, commandChannel } = call.deps
  const [instance] = await db.rows(
    z.object({ id: z.string() }),
    sql`select i.id from ${instanceOf(call.actor)}`,
  )
  if (!instance) return refused('data_plane_unreachable', { retryAfterS: NO_INSTANCE_RETRY_AFTER_S })
  const asked = await commandChannel.ask(instance.id, asking, shape)
  if (asked.kind === 'answered') return done(asked.result)
  return refused('data_plane_unreachable', { retryAfterS: asked.retryAfterS })
}
