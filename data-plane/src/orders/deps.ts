import type { KiteOrder, KiteOutcome, OrderBook } from '@ticker/shared/kite-http'
import type { BatchStore } from '../batches/batch-store.ts'
import type { BatchMetrics } from '../batches/metrics.ts'
import type { Clock } from '../clock.ts'
import type { ExitMarket } from '../exits/exit-market.ts'
import type { ExitStore } from '../exits/exit-store.ts'
import type { ExitMetrics } from '../exits/metrics.ts'
import type { SweepGtts } from '../gtts/gtt-sweep.ts'
import type { Log } from '../operations/log.ts'
import type { ObservedAccount } from '../ownership/instance-store.ts'
import type { LeaseClock } from '../ownership/lease-clock.ts'
import type { BrokerSession, OwnedAccount } from '../ownership/owned-account.ts'
import type { ChangeStore } from './change-store.ts'
import type { IntentStore } from './intent-store.ts'
import type { OrderMetrics } from './metrics.ts'
import type { OrderLineFactory } from './order-line.ts'
import type { ChangedOrder, OrderStore } from './order-store.ts'
import type { RiskGate } from './risk/gate.ts'

export type OrderAccount = OwnedAccount & { observed: ObservedAccount }

/** The broker's order reads, with the credentials of one session. */
export interface OrderReads {
  book(account: OrderAccount, session: BrokerSession): Promise<KiteOutcome<OrderBook>>
  history(account: OrderAccount, session: BrokerSession, orderId: string): Promise<KiteOutcome<KiteOrder[]>>
}

/** What the order path of one account needs from the rest of the process. */
export interface AccountOrdersDeps {
  accountId: string
  instanceId: string
  /** The account as last seen; undefined when it is no longer ours. */
  account(): OrderAccount | undefined
  lease: LeaseClock
  /** Halted here, whatever Postgres says (yet). */
  isHalted(): boolean
  /** The kill switch's part for GTTs. */
  sweepGtts: SweepGtts
  onSwept(accountId: string, requestedAt: string): Promise<void>
  clock: Clock
  log: Log
  metrics: OrderMetrics
  risk: RiskGate
  intents: IntentStore
  changes: ChangeStore
  orders: OrderStore
  batches: BatchStore
  batchMetrics: BatchMetrics
  exits: ExitStore
  exitMarket: ExitMarket
  exitMetrics: ExitMetrics
  /** What an exit could not close, or not in time. */
  onExitAlarm(accountId: string, type: string, data: Record<string, unknown>): void
  reads: OrderReads
  connect: OrderLineFactory
  onChanged(accountId: string, changed: ChangedOrder[]): void
  onSessionDead(accountId: string, sessionVersion: number, reason: string): Promise<void>
}
