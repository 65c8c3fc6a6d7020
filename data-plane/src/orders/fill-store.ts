// What was filled of an account's orders, by our own record, with the strategy of the order it is of.
import type pg from 'pg'
import type { Fill } from '../broker-reads/pnl-book.ts'

export interface FillStore {
  /** Of orders that the broker last changed at that time or later. */
  since(accountId: string, fromMs: number): Promise<Fill[]>
}

export function createFillStore(pool: pg.Pool): FillStore {
  return {
    async since(accountId, fromMs) {
      // An average has more decimals than the column: the broker's own row has them all.
      const { rows } = await pool.query<Fill>(
        `select r.exchange, r.tradingsymbol, coalesce(r.broker_order->>'product', '') as product, r.transaction_type,
           r.filled_quantity as quantity, (r.broker_order->>'average_price')::float8 as average_price,
           i.request->>'strategy' as strategy
         from ticker.orders r left join ticker.order_intents i on i.id = r.intent_id
         where r.account_id = $1 and r.filled_quantity > 0 and r.broker_updated_at >= to_timestamp($2::float8 / 1000)`,
        [accountId, fromMs],
      )
      return rows
    },
  }
}
