// One data plane process of a simulated world: the real order desk over stores, broker and clocks that can fail it. It
// renews its lease as ownership does, is killed, stands still, and takes over what another one lost.
import { Secret } from '@ticker/shared/crypto'
import { Registry } from 'prom-client'
import { createBatchMetrics } from '../../batches/metrics.ts'
import { type Clock, sleepWith } from '../../clock.ts'
import { createExitMetrics } from '../../exits/metrics.ts'
import { silentLog } from '../../operations/log.ts'
import { createSupervisor } from '../../operations/supervisor.ts'
import type { OrderAccount } from '../../orders/deps.ts'
import { createOrderMetrics } from '../../orders/metrics.ts'
import { createOrderDesk } from '../../orders/order-desk.ts'
import { createLeaseClock, LEASE_TTL_MS } from '../../ownership/lease-clock.ts'
import { ACCOUNT, allowAll, noBatches, noChanges, noExits, noMarket } from './idle-parts.ts'
import { modelIntents } from './model-intents.ts'
import { modelOrders } from './model-orders.ts'
import { type Scheduler, START_MS } from './scheduler.ts'
import type { SimBroker } from './sim-broker.ts'
import type { SimDatabase } from './sim-database.ts'

const RENEW_EVERY_MS = 2_000

export interface SimProcess {
  instanceId: string
  /** It is gone between two of its steps; what it wrote before is on its way. */
  kill(): void
  /** It stands still; what comes meanwhile it hears afterwards. */
  pause(ms: number): void
  jumpWall(ms: number): void
  /** Its idle connections broke, which it is told. */
  databaseLost(): void
}

export function startSimProcess(
  instanceId: string,
  { scheduler, database, broker }: { scheduler: Scheduler; database: SimDatabase; broker: SimBroker },
  skewMs: number,
): SimProcess {
  let isDead = false
  let pausedUntilMs = 0
  let wallOffsetMs = START_MS + skewMs

  const deliver = (answer: () => void) => {
    if (isDead) return
    if (scheduler.nowMs() < pausedUntilMs) scheduler.at(pausedUntilMs, () => deliver(answer))
    else answer()
  }
  const clock: Clock = {
    nowMs: () => scheduler.nowMs() + wallOffsetMs,
    monotonicMs: () => scheduler.nowMs(),
    after: (delayMs, callback) => scheduler.after(delayMs, () => deliver(callback)),
    sleep: (delayMs, signal) => sleepWith(clock, delayMs, signal),
  }
  const run = database.runFor(deliver)
  const lease = createLeaseClock(clock)
  const registry = new Registry()
  const supervisor = createSupervisor({ clock, log: silentLog, registry })
  const desk = createOrderDesk({
    ...{ instanceId, lease, clock, supervisor, log: silentLog, risk: allowAll, changes: noChanges },
    isHalted: () => false,
    sweepGtts: async () => 0,
    onSwept: async () => {},
    metrics: createOrderMetrics(registry),
    batches: noBatches,
    exits: noExits,
    exitMarket: noMarket,
    exitMetrics: createExitMetrics(registry),
    onExitAlarm: () => {},
    batchMetrics: createBatchMetrics(registry),
    intents: modelIntents(run),
    orders: modelOrders(run),
    reads: { book: broker.bookFor(deliver), history: async () => ({ ok: true, data: [] }) },
    connect: broker.connectFor(instanceId, deliver),
    onChanged: () => {},
    onSessionDead: async () => {},
  })

  /** Renews, or takes what nobody holds, under a new epoch. */
  const renew = () =>
    run((state, nowMs) => {
      const { owner } = state
      if (owner.leaseUntilMs <= nowMs) owner.epoch += 1
      else if (owner.instanceId !== instanceId) return undefined
      state.owner = { instanceId, epoch: owner.epoch, leaseUntilMs: nowMs + LEASE_TTL_MS }
      return { epoch: owner.epoch, gateReason: state.gateReason }
    })

  let heldEpoch: number | undefined
  async function own() {
    for (;;) {
      const sentAt = lease.read()
      try {
        const held = await renew()
        if (heldEpoch !== undefined && held?.epoch !== heldEpoch) lease.lost()
        heldEpoch = held?.epoch
        if (held) lease.renewed(sentAt)
        desk.setAccounts(held ? [accountOf(held.epoch, held.gateReason)] : [])
      } catch {
        // Not renewed; the lease clock knows how long it still holds.
      }
      await clock.sleep(RENEW_EVERY_MS)
    }
  }
  void own()

  return {
    instanceId,
    kill() {
      isDead = true
    },
    pause(ms) {
      pausedUntilMs = Math.max(pausedUntilMs, scheduler.nowMs() + ms)
    },
    jumpWall(ms) {
      wallOffsetMs += ms
    },
    databaseLost: () => deliver(() => desk.databaseLost()),
  }
}

function accountOf(epoch: number, gateReason: string | null): OrderAccount {
  return {
    ...ACCOUNT,
    epoch,
    session: {
      version: 1,
      brokerUserId: 'X',
      accessToken: new Secret('token'),
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
    observed: { ...ACCOUNT.observed, order_gate_reason: gateReason },
  }
}
