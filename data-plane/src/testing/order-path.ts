// The order path of one account against a real Postgres and a broker in memory.
import { Secret } from '@ticker/shared/crypto'
import type pg from 'pg'
import { Registry } from 'prom-client'
import { expect, vi } from 'vitest'
import { createBatchStore } from '../batches/batch-store.ts'
import { createBatchMetrics } from '../batches/metrics.ts'
import { systemClock } from '../clock.ts'
import type { ExitMarket } from '../exits/exit-market.ts'
import { createExitStore } from '../exits/exit-store.ts'
import { createExitMetrics } from '../exits/metrics.ts'
import type { SweepGtts } from '../gtts/gtt-sweep.ts'
import { silentLog } from '../operations/log.ts'
import { createAccountOrders } from '../orders/account-orders.ts'
import { type ChangeStore, createChangeStore } from '../orders/change-store.ts'
import type { OrderAccount } from '../orders/deps.ts'
import { createIntentStore, type IntentStore } from '../orders/intent-store.ts'
import { createOrderMetrics } from '../orders/metrics.ts'
import { createOrderStore } from '../orders/order-store.ts'
import type { RiskGate } from '../orders/risk/gate.ts'
import { claimAccounts, registerInstance } from '../ownership/instance-store.ts'
import { createLeaseClock } from '../ownership/lease-clock.ts'
import { type MemoryBroker, memoryBroker } from './memory-broker.ts'
import { seedAccount, seedIntent, seedSession } from './seed-account.ts'
import { allowAll, noMarket } from './send-path/idle-parts.ts'

export { answered, brokerRow, refusal } from './broker-answers.ts'

export async function orderPath(
  pool: pg.Pool,
  serial: number,
  running: (() => Promise<void>)[],
  options: {
    paused?: boolean
    changes?: (store: ChangeStore) => ChangeStore
    intents?: (store: IntentStore) => IntentStore
    risk?: RiskGate
    sweepGtts?: SweepGtts
    exitMarket?: ExitMarket
    /** Takes that one's account over, once it has let it go. */
    from?: { accountId: string; account: OrderAccount; broker: MemoryBroker }
  } = {},
) {
  const { from } = options
  const accountId = from?.accountId ?? `desk${serial}`
  const instanceId = `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`
  if (!from) await seedAccount(pool, accountId)
  const sessionVersion = from?.account.session?.version ?? (await seedSession(pool, accountId, 'token'))
  const epoch = await registerInstance(pool, {
    id: instanceId,
    streamUrl: 'ws://127.0.0.1',
    version: 'test',
    egressGroup: 'default',
  })
  await claimAccounts(pool, instanceId, epoch)
  const lease = createLeaseClock(systemClock)
  lease.renewed(lease.read())
  const broker = from?.broker ?? memoryBroker(accountId)
  const account: OrderAccount = {
    accountId,
    owner: 'desk',
    apiKey: 'app',
    epoch,
    maxConnections: 3,
    maxInstrumentsPerConnection: 3000,
    socketRefused: false,
    session: {
      version: sessionVersion,
      brokerUserId: 'X',
      accessToken: new Secret('token'),
      expiresAtMs: Date.now() + 1e6,
    },
    observed: {
      account_id: accountId,
      active: true,
      owner: 'desk',
      api_key: 'app',
      market_data: true,
      trading: true,
      paper: false,
      max_connections: 3,
      max_instruments_per_connection: 3000,
      trading_state: 'ACTIVE',
      own_trading_state: 'ACTIVE',
      trading_state_reason: null,
      sweep_requested_at: null,
      order_gate_reason: null,
      session_version: sessionVersion,
      session_live: true,
      socket_refused: false,
      due_orders: true,
      due_changes: true,
      live_batches: true,
      due_writes: false,
      live_exits: true,
      postback_hints: false,
    },
  }
  let current: OrderAccount | undefined = account
  const halted = { value: false }
  const swept: string[] = []
  const alarms: string[] = []
  const changes: string[] = []
  const deadSessions: number[] = []
  const registry = new Registry()
  const path = createAccountOrders({
    accountId,
    instanceId,
    account: () => current,
    lease,
    isHalted: () => halted.value,
    sweepGtts: options.sweepGtts ?? (async () => 0),
    onSwept: async (_, requestedAt) => {
      swept.push(requestedAt)
    },
    clock: systemClock,
    log: silentLog,
    metrics: createOrderMetrics(registry),
    risk: options.risk ?? allowAll,
    intents: (options.intents ?? ((store) => store))(createIntentStore(pool)),
    changes: (options.changes ?? ((store) => store))(createChangeStore(pool)),
    orders: createOrderStore(pool),
    batches: createBatchStore(pool),
    batchMetrics: createBatchMetrics(registry),
    exits: createExitStore(pool),
    exitMarket: options.exitMarket ?? noMarket,
    exitMetrics: createExitMetrics(registry),
    onExitAlarm: (_, type) => alarms.push(type),
    reads: {
      book: async () =>
        broker.bookOutcome ?? {
          ok: true,
          data: { orders: [...broker.book], misshapen: broker.misshapen, unreadable: broker.unreadable },
        },
      history: async (_account, _session, orderId) => {
        await broker.historyAllowed
        if (orderId === broker.deadFor)
          return {
            ok: false,
            failure: {
              kind: 'refused',
              status: 403,
              error_type: 'TokenException',
              message: 'Incorrect token',
            },
          }
        if (orderId === broker.unreadableHistory)
          return { ok: false, failure: { kind: 'unreadable', status: 200 } }
        return { ok: true, data: broker.history.get(orderId) ?? [] }
      },
    },
    connect: async () => {
      broker.onConnect()
      if (!broker.reachable) return { ok: false, reason: 'ECONNREFUSED' }
      return {
        ok: true,
        line: {
          discard: () => {},
          send: async (request, _credentials, mayWrite) => {
            if (!mayWrite()) return { kind: 'not_sent', reason: 'check' }
            const { method, path, form = new URLSearchParams() } = request
            if (method !== 'POST') {
              broker.changes.push([method, path, ...(form.size > 0 ? [form] : [])].join(' '))
              return broker.answerChange(request)
            }
            broker.posts.push(form)
            return broker.answer(form)
          },
        },
      }
    },
    onChanged: (_, changed) => changes.push(...changed.map((each) => `${each.orderId}:${each.order.status}`)),
    onSessionDead: async (_, version) => {
      deadSessions.push(version)
      current = { ...account, session: undefined }
    },
  })
  const start = () => {
    const controller = new AbortController()
    const ended = path.run(controller.signal)
    running.push(() => {
      controller.abort()
      return ended
    })
  }
  if (!options.paused) start()
  const intent = async (id: string) => {
    const { rows } = await pool.query<{
      state: string
      reason: string | null
      reason_code: string | null
      broker_order_id: string | null
    }>('select state, reason, reason_code, broker_order_id from ticker.order_intents where id = $1', [id])
    return rows[0]
  }
  const becomes = (id: string, state: string) =>
    vi.waitFor(async () => expect((await intent(id))?.state).toBe(state), { timeout: 10_000, interval: 25 })
  const place = async (tag = `t${serial}x${Math.random().toString(36).slice(2)}`, expiresInMs?: number) => {
    const id = await seedIntent(pool, accountId, {
      tag,
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
    })
    path.wake()
    return id
  }
  const set = (next: OrderAccount | undefined) => {
    current = next
  }
  return {
    accountId,
    instanceId,
    epoch,
    account,
    path,
    broker,
    start,
    place,
    intent,
    becomes,
    changes,
    deadSessions,
    registry,
    set,
    pool,
    lease,
    halted,
    swept,
    alarms,
  }
}
