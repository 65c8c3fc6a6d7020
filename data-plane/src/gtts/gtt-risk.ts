// Whether a GTT may be placed: the risk gate decides on each of its orders, as on a stop order that goes out at its trigger.
// It decides once, now: when the price gets there the broker asks nobody. So an account that only reduces takes only what would
// reduce a position now.
import { placeOrder, type StoredGtt } from '@ticker/shared/domain'
import type { OrderAccount } from '../orders/deps.ts'
import type { RiskGate } from '../orders/risk/gate.ts'

export async function gttRefusal(
  risk: RiskGate,
  account: OrderAccount,
  { exchange, tradingsymbol, ...gtt }: StoredGtt,
): Promise<{ code: string; reason: string } | undefined> {
  const facts = await risk.facts(account.accountId, [])
  for (const [index, leg] of gtt.orders.entries()) {
    const order = placeOrder.parse({
      ...{ account_id: account.accountId, exchange, tradingsymbol, ...leg },
      // Of a later session, for all that is known: no rule of this day's time is about it.
      ...{ variety: 'amo', order_type: 'SL', trigger_price: gtt.trigger_values[index] },
    })
    const decision = await risk.decide(account, order, facts)
    if (!decision.allowed)
      return { code: decision.code ?? 'risk_limit', reason: `orders.${index}: ${decision.reason ?? ''}` }
  }
  return undefined
}

/** Stated when the price was on the other side of a trigger: it would fire at once. */
export function crossedTrigger(gtt: StoredGtt, lastPrice: number | undefined): number | undefined {
  if (lastPrice === undefined) return undefined
  return gtt.trigger_values.find((trigger) =>
    trigger > gtt.last_price ? lastPrice >= trigger : lastPrice <= trigger,
  )
}
