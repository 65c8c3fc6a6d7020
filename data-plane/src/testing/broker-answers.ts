// What the broker says, as the order path reads it.
import { type KiteOrder, kiteOrder, readEnvelope } from '@ticker/shared/kite-http'
import type { SendOutcome } from '../orders/verdict.ts'

export const answered = (status: number, body: unknown): SendOutcome => ({
  kind: 'answered',
  outcome: readEnvelope(status, JSON.stringify(body)),
})
export const refusal = (status: number, error_type: string, message: string) =>
  answered(status, { status: 'error', error_type, message })

export function brokerRow(fields: Record<string, unknown>): KiteOrder {
  return kiteOrder.parse({
    status: 'OPEN',
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'BUY',
    quantity: 1,
    order_timestamp: '2026-11-23 09:15:01',
    exchange_update_timestamp: '2026-11-23 09:15:01',
    ...fields,
  })
}
