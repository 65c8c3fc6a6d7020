// Part of the composition root: GTTs and conversions of positions, with their stores, their line to the broker and their reads,
// which count among the account's other requests and never among its orders.
import { getGtts, getPositions, type KiteHttp } from '@ticker/shared/kite-http'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import { createWriteMetrics } from './account-writes/metrics.ts'
import { createWriteDesk, type WriteDesk } from './account-writes/write-desk.ts'
import { createWriteStore } from './account-writes/write-store.ts'
import { TURN_WITHIN_MS } from './broker-reads/account-reads.ts'
import type { ReadGovernor } from './broker-reads/governor.ts'
import { ownPrices } from './broker-reads/own-prices.ts'
import type { Clock } from './clock.ts'
import { createGttStore } from './gtts/gtt-store.ts'
import { createGttSweep, type SweepGtts } from './gtts/gtt-sweep.ts'
import type { ReadQuotes } from './market-data/quotes.ts'
import { createIntentStore } from './orders/intent-store.ts'
import { orderLineFactory } from './orders/order-line.ts'
import { credentialsOf } from './ownership/owned-account.ts'

type Given = Omit<
  Parameters<typeof createWriteDesk>[0],
  'intents' | 'writes' | 'gtts' | 'reads' | 'connect' | 'writeMetrics' | 'turn' | 'lastPrice'
>

export function createGtts(deps: {
  pool: pg.Pool
  registry: Registry
  kite: KiteHttp
  governor: ReadGovernor
  quotes: ReadQuotes
  clock: Clock
  log: Given['log']
}): {
  sweep: SweepGtts
  desk(given: Given): WriteDesk
} {
  const { pool, kite, governor, clock, quotes } = deps
  const writeMetrics = createWriteMetrics(deps.registry)
  const connect = orderLineFactory(kite.root, clock)
  async function turn(accountId: string): Promise<boolean> {
    const late = new AbortController()
    const cancel = clock.after(TURN_WITHIN_MS, () => late.abort())
    const granted = await governor.take(() => [accountId], 'user', late.signal)
    cancel()
    return granted !== undefined
  }
  const readGtts: Parameters<typeof createGttSweep>[0]['read'] = (account, session) => {
    governor.spend(account.accountId)
    return getGtts(kite, credentialsOf(account, session))
  }
  const sweepOnce = createGttSweep({ log: deps.log, metrics: writeMetrics, connect, turn, read: readGtts })
  let writeDesk: WriteDesk | undefined
  return {
    async sweep(account, signal) {
      const active = await sweepOnce(account, signal)
      if (active !== undefined && active > 0) writeDesk?.want(account.accountId)
      return active
    },
    desk(given) {
      writeDesk = createWriteDesk({
        ...{ ...given, writeMetrics, connect, turn },
        intents: createIntentStore(pool),
        writes: createWriteStore(pool),
        gtts: createGttStore(pool),
        reads: {
          gtts: readGtts,
          positions: (account, session) => {
            governor.spend(account.accountId)
            return getPositions(kite, credentialsOf(account, session))
          },
        },
        lastPrice: async (owner, instrument) =>
          (await ownPrices(quotes, owner, [instrument]))(instrument)?.last_price,
      })
      return writeDesk
    },
  }
}
