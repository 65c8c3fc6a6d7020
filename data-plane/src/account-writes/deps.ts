import type { BrokerPosition } from '@ticker/shared/domain'
import type { GttList, KiteOutcome, KitePositions } from '@ticker/shared/kite-http'
import type { GttStore } from '../gtts/gtt-store.ts'
import type { OrderAccount } from '../orders/deps.ts'
import type { RiskGate } from '../orders/risk/gate.ts'
import type { SendingDeps } from '../orders/sending.ts'
import type { BrokerSession } from '../ownership/owned-account.ts'
import type { WriteMetrics } from './metrics.ts'
import type { WriteStore } from './write-store.ts'

export interface WriteReads {
  gtts(account: OrderAccount, session: BrokerSession): Promise<KiteOutcome<GttList>>
  positions(account: OrderAccount, session: BrokerSession): Promise<KiteOutcome<KitePositions>>
}

/** What the writes of one account need from the rest of the process. */
export interface AccountWritesDeps extends SendingDeps {
  /** The account as last seen; undefined when it is no longer ours. */
  account(): OrderAccount | undefined
  writes: WriteStore
  gtts: GttStore
  reads: WriteReads
  risk: RiskGate
  writeMetrics: WriteMetrics
  /** Its share of the broker's limit, in its turn; false: not now. */
  turn(): Promise<boolean>
  /** Of a tick that is live; undefined: none is. */
  lastPrice(
    owner: string,
    instrument: { exchange: string; tradingsymbol: string },
  ): Promise<number | undefined>
  /** Something may have been appended to the log of orders. */
  onLogged(): void
  /** A GTT has placed orders: the book has something new. */
  onTriggered(): void
}

export type NetPositions = readonly BrokerPosition[]
