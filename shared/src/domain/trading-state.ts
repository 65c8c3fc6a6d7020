// Whether orders may go out, for the fleet and for each account; the stricter of the two holds (RELIABILITY orders 10, 11).
import { z } from 'zod'
import { accountId, tradingState } from './accounts.ts'
import { storedText } from './text.ts'

const MEANING =
  'HALTED: cancels alone go out. REDUCING: cancels, and orders that only reduce a position. ACTIVE: everything'

export const tradingStateChange = z
  .strictObject({
    account_id: accountId.optional().meta({ description: 'Absent: every account of your owner' }),
    state: tradingState.meta({ description: MEANING }),
    reason: storedText(200, 1).meta({ description: 'Shown to everybody who is refused by it' }),
  })
  .meta({ id: 'TradingStateChange' })
export type TradingStateChange = z.infer<typeof tradingStateChange>

export const fleetTradingStateChange = tradingStateChange
  .omit({ account_id: true })
  .meta({ id: 'FleetTradingStateChange' })
export type FleetTradingStateChange = z.infer<typeof fleetTradingStateChange>

export const killRequest = z
  .strictObject({
    account_id: accountId.optional().meta({ description: 'Absent: every account of your owner' }),
    reason: storedText(200, 1),
  })
  .meta({ id: 'KillRequest' })
export type KillRequest = z.infer<typeof killRequest>

export const accountTradingState = z
  .object({
    account_id: accountId,
    state: tradingState,
    reason: z.string().nullable(),
    changed_at: z.string().nullable(),
    changed_by: z.string().nullable(),
    sweep_requested_at: z.string().nullable().meta({
      description: 'A kill switch was pulled and its sweep is not done: open orders are being cancelled',
    }),
    open_orders: z.int().meta({ description: 'Not finished, as last seen, whoever placed them' }),
    orders_in_doubt: z.int().meta({ description: 'SENDING or UNKNOWN: they may be at the broker' }),
  })
  .meta({ id: 'AccountTradingState' })

export const tradingStates = z
  .object({ accounts: z.array(accountTradingState) })
  .meta({ id: 'TradingStates', description: MEANING })
export type TradingStates = z.infer<typeof tradingStates>

export const fleetTradingState = z
  .object({ state: tradingState, reason: z.string().nullable(), changed_at: z.string().nullable() })
  .meta({
    id: 'FleetTradingState',
    description:
      'Of every account, of those that are made later too: the stricter of it and of the account holds',
  })
export type FleetTradingState = z.infer<typeof fleetTradingState>

export const allTradingStates = tradingStates
  .extend({ fleet: fleetTradingState })
  .meta({ id: 'AllTradingStates', description: MEANING })
export type AllTradingStates = z.infer<typeof allTradingStates>

/** SQL of a kill switch's other half: what waits, or may be on its way, of the accounts of the CTE `a` is to be taken back. */
export const TAKE_BACK_WAITING_SQL = `update ticker.order_intents o set cancel_requested_at = now(), updated_at = now() from a
  where o.account_id = a.id and o.state in ('QUEUED', 'SENDING', 'UNKNOWN') and o.cancel_requested_at is null`

/** And no further leg of a batch follows: what it has filled is the person's, whatever it would have done with that. */
export const STOP_BATCHES_SQL = `update ticker.batches b set stop_requested_at = now(), unwind = 'none', updated_at = now() from a
  where b.account_id = a.id and b.state = 'RUNNING' and b.stop_requested_at is null`
