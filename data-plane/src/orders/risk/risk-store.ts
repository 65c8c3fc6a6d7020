// What Postgres knows that the gate needs: limits, what was sent today, and what is already on its way to reduce.
import { openOrderSql, type PlaceOrder } from '@ticker/shared/domain'
import type pg from 'pg'
import type { Limits } from './decide.ts'

export interface StoredFacts {
  limits: readonly Limits[]
  /** Sent today, of that strategy or of all. */
  sentToday(strategy?: string): number
  /** One more, in this very pass. */
  sent(strategy: string | undefined): void
}

/** The order that is decided on, where it is stored already. */
export interface Itself {
  intentId: string | undefined
  /** The broker's order, of a modify. */
  orderId: string | undefined
}

export interface RiskStore {
  /** `inFlight`: intents that are being sent; they count, whether or not their claim is stored yet. */
  facts(accountId: string, inFlight: readonly string[]): Promise<StoredFacts>
  /** Quantity of the same side that is open or on its way, but of the order itself. */
  sameSideQuantity(accountId: string, order: PlaceOrder, of: Itself): Promise<number>
}

export function createRiskStore(pool: pg.Pool): RiskStore {
  return {
    async facts(accountId, inFlight) {
      const { rows } = await pool.query<{ limits: Limits[]; sent: { strategy: string; n: number }[] }>(
        `select coalesce((select jsonb_agg(to_jsonb(l)) from ticker.risk_limits l where l.account_id = $1), '[]') as limits,
           case when exists (select from ticker.risk_limits where account_id = $1) then coalesce((
             select jsonb_agg(jsonb_build_object('strategy', s.strategy, 'n', s.n)) from (
               select coalesce(request->>'strategy', '') as strategy, count(*)::int as n from ticker.order_intents
               where account_id = $1 and (id = any($2::text[])
                 or sending_at >= date_trunc('day', now() at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata')
               group by 1) s), '[]') else '[]' end as sent`,
        [accountId, inFlight],
      )
      const { limits = [], sent = [] } = rows[0] ?? {}
      const counts = new Map(sent.map(({ strategy, n }) => [strategy, n]))
      let all = sent.reduce((sum, { n }) => sum + n, 0)
      return {
        limits,
        sentToday: (strategy) => (strategy === undefined ? all : (counts.get(strategy) ?? 0)),
        sent(strategy = '') {
          all += 1
          counts.set(strategy, (counts.get(strategy) ?? 0) + 1)
        },
      }
    },

    async sameSideQuantity(accountId, order, { intentId, orderId }) {
      const { rows } = await pool.query<{ quantity: string }>(
        `select coalesce(sum(q), 0) as quantity from (
           select (o.request->>'quantity')::bigint as q from ticker.order_intents o
           where o.account_id = $1 and o.id <> $6 and o.request->>'exchange' = $2 and o.request->>'tradingsymbol' = $3
             and o.request->>'transaction_type' = $4 and o.request->>'product' = $5
             and (o.state in ('SENDING', 'UNKNOWN')
               or (o.state = 'QUEUED' and o.deadline > now() and (o.created_at, o.id) < (
                 select i.created_at, i.id from ticker.order_intents i where i.id = $6))
               or (o.state = 'ACCEPTED' and o.updated_at > now() - interval '1 day'
                 and not exists (select from ticker.orders r where r.intent_id = o.id)))
           union all
           select greatest(r.quantity - r.filled_quantity, 0) from ticker.orders r
           where r.account_id = $1 and r.exchange = $2 and r.tradingsymbol = $3 and r.transaction_type = $4
             and r.broker_order->>'product' = $5 and r.order_id <> $7 and ${openOrderSql('r')}) same`,
        [
          accountId,
          order.exchange,
          order.tradingsymbol,
          order.transaction_type,
          order.product,
          intentId ?? '',
          orderId ?? '',
        ],
      )
      return Number(rows[0]?.quantity ?? 0)
    },
  }
}
