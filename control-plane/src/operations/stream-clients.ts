// Who is connected to the streams of the fleet: each instance is asked, and says it of the caller's owner.
import { connectedClients, type StreamClients } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { withinReach } from '../auth/keys.ts'
import type { Call } from '../http/call.ts'

/** Instances asked for one answer; a fleet is a few. */
const INSTANCES_MAX = 20
const WAIT_MS = 3_000

export async function listStreamClients(call: Call): Promise<StreamClients> {
  const { db, commandChannel, config } = call.deps
  const instances = await db.rows(
    z.object({ id: z.string() }),
    sql`select i.id from ticker.instances i where i.lease_until > now() and i.status <> 'stopped'
      order by i.started_at desc limit ${INSTANCES_MAX}`,
  )
  const params = { owner: call.actor.owner }
  const said = await Promise.all(
    instances.map(async ({ id }) => ({
      id,
      asked: await commandChannel.ask(id, { call: 'stream_clients', params }, connectedClients, WAIT_MS),
    })),
  )
  const unanswered: string[] = []
  const found: Omit<StreamClients['clients'][number], 'key_name'>[] = []
  let leftOut = 0
  for (const { id, asked } of said) {
    if (asked.kind === 'unreachable') {
      unanswered.push(id)
      continue
    }
    leftOut += asked.result.left_out
    for (const client of asked.result.clients) found.push({ ...client, instance_id: id })
  }
  const names = await namesOf(call, [...new Set(found.map(({ key_id }) => key_id))])
  const clients = found.flatMap((client) => {
    const key_name = names.get(client.key_id)
    return key_name === undefined ? [] : [{ ...client, key_name }]
  })
  return {
    clients,
    left_out: leftOut + found.length - clients.length,
    unanswered,
    synthetic: config.realm === 'sim',
  }
}

/** Of those keys that the caller may see. */
async function namesOf(call: Call, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await call.deps.db.rows(
    z.object({ id: z.string(), name: z.string() }),
    sql`select k.id, k.name from ticker.api_keys k
      where k.owner = ${call.actor.owner} and ${withinReach(call)}
        and k.id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`,
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}
