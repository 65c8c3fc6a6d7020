// What would become of an order now: everything that would keep it from being stored, then what the owner's risk gate
// decides. Nothing is stored, nothing is sent.
import { type DryRun, dryRun, type PlaceOrder } from '@ticker/shared/domain'
import type { Call } from '../http/call.ts'
import type { Outcome } from '../http/problem.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import { whyNotPlaced } from './place.ts'

export async function dryRunOrder(call: Call, order: PlaceOrder): Promise<Outcome<DryRun>> {
  const objection = await whyNotPlaced(call, order)
  return objection ?? askAccount(call, order.account_id, { read: 'risk_decision', order }, dryRun)
}
