// Places, modifies and deletes of GTTs: stored for the owner of the account to send.
import { GTTS_ACTIVE_MAX, gttWrite, type PlaceGtt } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { writesOf } from '../account-writes/read-write.ts'
import { storeWrite } from '../account-writes/store-write.ts'
import type { Call } from '../http/call.ts'
import { requestHash } from '../orders/request-hash.ts'

export const gttWrites = writesOf(gttWrite, {
  which: sql`w.kind <> 'convert'`,
  fields: sql`'kind', w.kind, 'trigger_id', w.trigger_id,`,
})

export async function placeGtt(call: Call, key: string, { account_id, expires_in_s, ...gtt }: PlaceGtt) {
  const { last_price: _, ...named } = gtt
  return storeWrite(call, key, {
    ...{ accountId: account_id, kind: 'gtt_place', request: gtt, triggerId: null, expiresInS: expires_in_s },
    // Two that state the same could not be told apart.
    subject: `place:${await requestHash(named)}`,
    instrument: checkedOf(gtt),
    objection: sql`(select case when count(*) >= ${GTTS_ACTIVE_MAX} then 'gtt_limit' end
      from ticker.gtts where account_id = ${account_id} and status = 'active')`,
  })
}

/** All of it is stated anew. */
export function modifyGtt(
  call: Call,
  key: string,
  id: string,
  { account_id, expires_in_s, ...gtt }: PlaceGtt,
) {
  return storeWrite(call, key, {
    ...{ accountId: account_id, kind: 'gtt_modify', request: gtt, triggerId: id, expiresInS: expires_in_s },
    ...{ subject: `gtt:${id}`, instrument: checkedOf(gtt), objection: notActive(account_id, id) },
  })
}

export function deleteGtt(call: Call, key: string, id: string, accountId: string, expiresInS: number) {
  return storeWrite(call, key, {
    ...{ accountId, kind: 'gtt_delete', request: null, triggerId: id, expiresInS },
    ...{ subject: `gtt:${id}`, objection: notActive(accountId, id) },
  })
}

/** As the list last showed it; a GTT that a write of ours has just placed may not be in it yet. */
const notActive = (accountId: string, id: string) => sql`(select case
    when g.status is not null then nullif(g.status, 'active')
    when exists (select from ticker.account_writes w where w.account_id = ${accountId} and w.trigger_id = ${id}
      and w.kind = 'gtt_place' and w.state = 'ACCEPTED') then null
    else 'gtt_not_found' end
  from (select 1) one left join ticker.gtts g on g.account_id = ${accountId} and g.trigger_id = ${id})`

function checkedOf({
  exchange,
  tradingsymbol,
  trigger_values,
  orders,
}: Omit<PlaceGtt, 'account_id' | 'expires_in_s'>) {
  return {
    ...{ exchange, tradingsymbol },
    prices: [
      ...trigger_values.map((value, index) => ({ path: `trigger_values.${index}`, value })),
      ...orders.map(({ price: value }, index) => ({ path: `orders.${index}.price`, value })),
    ],
    quantities: orders.map(({ quantity: value }, index) => ({ path: `orders.${index}.quantity`, value })),
  }
}
