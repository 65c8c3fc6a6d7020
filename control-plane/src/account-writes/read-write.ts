// GTT writes and conversions as the API shows them, and what a caller may do with one in doubt: wait, or give it up.
import {
  accountId,
  PENDING_WRITE_STATES,
  WRITE_RELEASE_AFTER_S,
  type WriteState,
} from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { waitWhile } from '../orders/wait.ts'

/** In doubt it is read at least every 10 s. */
const READ_AGE_S_MAX = 60

export const writeQuery = pageQuery.extend({ account_id: accountId.optional() })

const verdict = z.object({ state: z.string(), released: z.boolean() })

export function writesOf<Write extends { id: string; state: WriteState }>(
  shape: z.ZodType<Write>,
  /** Of the row `w`: which of them, and what they say besides. */
  { which, fields }: { which: SQL; fields: SQL },
) {
  async function select(call: Call, condition: SQL, limit: number): Promise<Write[]> {
    const rows = await call.deps.db.rows(
      z.object({ write: shape }),
      sql`select jsonb_build_object('id', w.id, 'account_id', w.account_id, ${fields} 'request', w.request, 'state', w.state,
          'reason_code', w.reason_code, 'reason', w.reason, 'deadline', ${iso(sql`w.deadline`)}, 'paper', a.paper,
          'synthetic', ${call.deps.config.realm === 'sim'}::boolean or a.paper,
          'created_at', ${iso(sql`w.created_at`)}, 'updated_at', ${iso(sql`w.updated_at`)}) as write
        from ticker.account_writes w join ticker.accounts a on a.id = w.account_id
        where ${which} and ${visibleTo(call.actor)} and ${condition} order by w.id desc limit ${limit}`,
    )
    return rows.map(({ write }) => write)
  }

  async function get(call: Call, id: string): Promise<Outcome<Write>> {
    const [found] = await select(call, sql`w.id = ${id}`, 1)
    return found ? done(found) : refused('account_write_not_found')
  }

  return {
    get,

    /** Newest first. */
    async list(call: Call, query: z.output<typeof writeQuery>) {
      if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
      const before = decodeCursor(query.cursor, z.tuple([cursorText]))
      const conditions = [
        query.account_id ? sql`w.account_id = ${query.account_id}` : sql`true`,
        before ? sql`w.id < ${before[0]}` : sql`true`,
      ]
      const found = await select(call, sql.join(conditions, sql` and `), query.limit + 1)
      return done(pageOf(found, query.limit, ({ id }) => [id]))
    },

    /** As it is when the broker has answered, or it is known that it will not be asked. */
    wait: (call: Call, write: Write, seconds: number) =>
      waitWhile(
        call,
        write,
        seconds,
        ({ state }) => PENDING_WRITE_STATES.includes(state),
        () => get(call, write.id),
      ),

    /** One in doubt that a person gives up: it is never sent again, and a GTT that turns up is still known as ours. */
    async release(call: Call, id: string): Promise<Outcome<Write>> {
      const [row] = await call.deps.db.rows(
        verdict,
        sql`with found as (
            select w.id, w.state from ticker.account_writes w join ticker.accounts a on a.id = w.account_id
            where w.id = ${id} and ${which} and ${visibleTo(call.actor)}
          ), released as (
            update ticker.account_writes w set state = 'RELEASED', reason_code = 'released', updated_at = now(),
              reason = 'Given up by a person: the broker did not show it.'
            from found f where w.id = f.id and w.state = 'UNKNOWN'
              and w.sending_at <= now() - make_interval(secs => ${WRITE_RELEASE_AFTER_S})
              and w.absent_at > now() - make_interval(secs => ${READ_AGE_S_MAX})
            returning w.id, w.account_id, w.kind, w.trigger_id
          ), counted as (
            update ticker.accounts a set event_seq = a.event_seq + 1 from released r where a.id = r.account_id
            returning a.id, a.event_seq
          ), event as (
            insert into ticker.order_events (account_id, seq, kind, detail)
            select c.id, c.event_seq, r.kind || '.released', jsonb_build_object('write_id', r.id, 'trigger_id', r.trigger_id,
              'request_id', ${call.requestId}::text, 'key_id', ${call.actor.key_id}::text)
            from counted c join released r on r.account_id = c.id
          ), audited as (${auditInsert(
            {
              ...{ auditor: byKey(call.actor), action: 'account_write.release', subject: id },
              ...{ outcome: 'allowed', requestId: call.requestId },
            },
            sql`released`,
          )})
          select f.state, exists (select from released) as released from found f`,
      )
      if (!row) return refused('account_write_not_found')
      if (row.released) return get(call, id)
      if (row.state !== 'UNKNOWN') return refused('write_not_in_doubt', { detail: `It is ${row.state}.` })
      return refused('write_may_still_appear')
    },
  }
}
