// GTT writes and conversions of one account against a real Postgres and a broker in memory.
import { newId, type WriteKind } from '@ticker/shared/domain'
import { type KiteGtt, kiteGtt } from '@ticker/shared/kite-http'
import type pg from 'pg'
import { Registry } from 'prom-client'
import { expect, vi } from 'vitest'
import { createAccountWrites } from '../account-writes/account-writes.ts'
import type { AccountWritesDeps } from '../account-writes/deps.ts'
import { createWriteMetrics } from '../account-writes/metrics.ts'
import { createWriteStore, type WriteStore } from '../account-writes/write-store.ts'
import { systemClock } from '../clock.ts'
import { createGttStore } from '../gtts/gtt-store.ts'
import { silentLog } from '../operations/log.ts'
import type { OrderAccount } from '../orders/deps.ts'
import { createIntentStore } from '../orders/intent-store.ts'
import { createOrderMetrics } from '../orders/metrics.ts'
import type { OrderRequest } from '../orders/order-line.ts'
import type { RiskGate } from '../orders/risk/gate.ts'
import type { SendOutcome } from '../orders/verdict.ts'
import { answered } from './broker-answers.ts'
import type { MemoryBroker } from './memory-broker.ts'
import { orderPath } from './order-path.ts'
import { allowAll } from './send-path/idle-parts.ts'

export const GTT = {
  ...{ type: 'single', exchange: 'NSE', tradingsymbol: 'INFY', last_price: 1_500, trigger_values: [1_400] },
  orders: [{ transaction_type: 'SELL', quantity: 1, product: 'CNC', price: 1_395 }],
}

/** As the broker lists it. */
export function listed(id: string, gtt: typeof GTT = GTT, more: Record<string, unknown> = {}): KiteGtt {
  const { exchange, tradingsymbol, trigger_values, last_price } = gtt
  return kiteGtt.parse({
    ...{ id, type: gtt.type, status: 'active', orders: gtt.orders },
    ...{ condition: { exchange, tradingsymbol, trigger_values, last_price } },
    ...more,
  })
}

export function memoryGtts() {
  const broker = {
    sent: [] as OrderRequest[],
    gtts: [] as KiteGtt[],
    unreadable: 0,
    /** Net quantities by product of NSE:INFY. */
    positions: { CNC: 10, MIS: 0 } as Record<string, number>,
    answer: (request: OrderRequest): SendOutcome | Promise<SendOutcome> => broker.take(request),
    /** Does what is asked. */
    take({ method, path, form }: OrderRequest): SendOutcome {
      if (path === '/portfolio/positions') {
        const moved = Number(form?.get('quantity'))
        const [from, to] = [form?.get('old_product') ?? '', form?.get('new_product') ?? '']
        broker.positions = {
          ...broker.positions,
          ...{ [from]: (broker.positions[from] ?? 0) - moved, [to]: (broker.positions[to] ?? 0) + moved },
        }
        return answered(200, { status: 'success', data: true })
      }
      const id = method === 'POST' ? `${broker.sent.length}00` : (path.split('/').at(-1) ?? '')
      const others = broker.gtts.filter((gtt) => gtt.id !== id)
      const stated = form && {
        ...{ id, type: form.get('type'), status: 'active', orders: JSON.parse(form.get('orders') ?? '') },
        condition: JSON.parse(form.get('condition') ?? ''),
      }
      const known = broker.gtts.find((gtt) => gtt.id === id)
      broker.gtts = [
        ...others,
        stated ? kiteGtt.parse(stated) : kiteGtt.parse({ ...known, status: 'deleted' }),
      ]
      return answered(200, { status: 'success', data: { trigger_id: Number(id) } })
    },
  }
  return broker
}

export const NO_ANSWER: SendOutcome = { kind: 'no_answer', reason: 'reset' }

export async function writePath(
  pool: pg.Pool,
  serial: number,
  running: (() => Promise<void>)[],
  options: {
    /** Takes that one's account over, once it has let it go. */
    from?: {
      accountId: string
      account: OrderAccount
      orderBroker: MemoryBroker
      broker: ReturnType<typeof memoryGtts>
    }
    paused?: boolean
    risk?: RiskGate
    lastPrice?: number
    writes?: (store: WriteStore) => WriteStore
  } = {},
) {
  const { from } = options
  const path = await orderPath(pool, serial, running, {
    paused: true,
    ...(from ? { from: { accountId: from.accountId, account: from.account, broker: from.orderBroker } } : {}),
  })
  const broker = from?.broker ?? memoryGtts()
  const account = { ...path.account, observed: { ...path.account.observed, due_writes: true } }
  let current: typeof account | undefined = account
  const halted = { value: false }
  const triggered = { count: 0 }
  const registry = new Registry()
  const deps: AccountWritesDeps = {
    ...{ accountId: path.accountId, instanceId: path.instanceId, lease: path.lease },
    ...{ clock: systemClock, log: silentLog, risk: options.risk ?? allowAll },
    account: () => current,
    isHalted: () => halted.value,
    metrics: createOrderMetrics(registry),
    writeMetrics: createWriteMetrics(registry),
    intents: createIntentStore(pool),
    writes: (options.writes ?? ((store) => store))(createWriteStore(pool)),
    gtts: createGttStore(pool),
    turn: async () => true,
    lastPrice: async () => options.lastPrice,
    onLogged: () => {},
    onTriggered: () => {
      triggered.count += 1
    },
    onSessionDead: async () => {
      current = { ...account, session: undefined }
    },
    reads: {
      gtts: async () => ({ ok: true, data: { gtts: [...broker.gtts], unreadable: broker.unreadable } }),
      positions: async () => {
        const net = Object.entries(broker.positions).map(([product, quantity]) => ({
          ...{ exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: null, product, quantity },
          ...{ overnight_quantity: 0, multiplier: 1, average_price: 0, close_price: 0, last_price: 0 },
          ...{ value: 0, pnl: 0, m2m: 0, unrealised: 0, realised: 0, buy_quantity: 0, buy_price: 0 },
          ...{ buy_value: 0, buy_m2m: 0, sell_quantity: 0, sell_price: 0, sell_value: 0, sell_m2m: 0 },
          ...{ day_buy_quantity: 0, day_buy_price: 0, day_buy_value: 0 },
          ...{ day_sell_quantity: 0, day_sell_price: 0, day_sell_value: 0 },
        }))
        return { ok: true, data: { net: { rows: net, omitted: 0 }, day: { rows: [], omitted: 0 } } }
      },
    },
    connect: async () => ({
      ok: true,
      line: {
        discard: () => {},
        send: async (request, _credentials, mayWrite) => {
          if (!mayWrite()) return { kind: 'not_sent', reason: 'check' }
          broker.sent.push(request)
          return broker.answer(request)
        },
      },
    }),
  }
  const writes = createAccountWrites(deps)
  const start = () => {
    const controller = new AbortController()
    const ended = writes.run(controller.signal)
    running.push(() => {
      controller.abort()
      return ended
    })
  }
  if (!options.paused) start()
  const row = async (id: string) => {
    const { rows } = await pool.query<Stored>(
      'select state, reason_code, reason, trigger_id, attempts from ticker.account_writes where id = $1',
      [id],
    )
    return rows[0]
  }
  return {
    ...{ accountId: path.accountId, epoch: path.epoch, account, orderBroker: path.broker, pool, registry },
    ...{ broker, halted, triggered, writes, start, row },
    set(next: typeof account | undefined) {
      current = next
    },
    becomes: (id: string, state: string) =>
      vi.waitFor(async () => expect((await row(id))?.state).toBe(state), { timeout: 10_000, interval: 25 }),
    events: async () =>
      (
        await pool.query<{ kind: string }>(
          `select kind from ticker.order_events where account_id = $1 and (kind like 'gtt%' or kind like 'convert%') order by seq`,
          [path.accountId],
        )
      ).rows.map(({ kind }) => kind),
    async store(
      kind: WriteKind,
      request: object | null = GTT,
      more: { triggerId?: string; subject?: string; expiresInMs?: number } = {},
    ) {
      const id = newId(kind === 'convert' ? 'cnv' : 'gtw')
      await pool.query(
        `insert into ticker.account_writes (id, account_id, idempotency_key, request_sha256, kind, subject, request, trigger_id,
           deadline, created_by)
         values ($1, $2, $1, 'hash', $3, $4, $5, $6, now() + $7::float8 * interval '1 millisecond', 'test')`,
        [
          ...[id, path.accountId, kind, more.subject ?? (more.triggerId ? `gtt:${more.triggerId}` : kind)],
          ...[request && JSON.stringify(request), more.triggerId ?? null, more.expiresInMs ?? 30_000],
        ],
      )
      writes.wake()
      return id
    },
  }
}

interface Stored {
  state: string
  reason_code: string | null
  reason: string | null
  trigger_id: string | null
  attempts: number
}
