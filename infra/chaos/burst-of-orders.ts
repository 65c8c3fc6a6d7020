// Orders that rest at the broker, many at once, and what became of them: by our rows, and by the broker's book.
import pg from 'pg'
import { type Desk, LIMIT_ORDER } from '../e2e/desk.ts'

/** INFY trades about 1,500. */
const RESTS = 1_100

export async function openRows(desk: Desk) {
  const database = new pg.Client({ connectionString: desk.system.databaseUrl })
  // It may be taken away.
  database.on('error', () => {})
  await database.connect()
  return {
    query: <T extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      database.query<T>(text, values).then(({ rows }) => rows),
    async statesOf(burst: string): Promise<Map<string, number>> {
      const { rows } = await database.query<{ state: string; n: number }>(
        'select state, count(*)::int as n from ticker.order_intents where idempotency_key like $1 group by state',
        [`${burst}-%`],
      )
      return new Map(rows.map(({ state, n }) => [state, n]))
    },
    /** Intents that became more than one order at the broker. */
    async doubled(burst: string): Promise<number> {
      const { rowCount } = await database.query(
        `select i.id from ticker.order_intents i join ticker.intent_orders o on o.intent_id = i.id
         where i.idempotency_key like $1 group by i.id having count(*) > 1`,
        [`${burst}-%`],
      )
      return rowCount ?? 0
    },
    /** The instance that owns the demo account. */
    async owner(): Promise<{ instance: string; epoch: string } | undefined> {
      const { rows } = await database.query<{ instance: string; epoch: string }>(
        `select owner_instance_id as instance, owner_epoch as epoch from ticker.accounts where id = 'demo'`,
      )
      return rows[0]
    },
    close: () => database.end(),
  }
}
export type Rows = Awaited<ReturnType<typeof openRows>>

/** Stored, not yet sent. */
export async function submitBurst(desk: Desk, burst: string, orders: number): Promise<void> {
  await Promise.all(
    Array.from({ length: orders }, async (_, index) => {
      const order = { ...LIMIT_ORDER, price: RESTS, expires_in_s: 120 }
      const response = await desk.api.request('POST', '/v1/orders', order, {
        'Idempotency-Key': `${burst}-${index}`,
      })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    }),
  )
}
