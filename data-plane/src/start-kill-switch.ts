// Part of the composition root: what this instance halts by itself, and its door on the private port.
import type pg from 'pg'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { createHaltStore } from './kill-switch/halt-store.ts'
import { createHalts, type Halts } from './kill-switch/halts.ts'
import { createOpsKill, type OpsKill } from './kill-switch/ops-kill.ts'
import type { Log } from './operations/log.ts'
import type { Supervisor } from './operations/supervisor.ts'
import type { OrderDesk } from './orders/order-desk.ts'

export function createKillSwitch(deps: {
  config: Config
  instanceId: string
  pool: pg.Pool
  clock: Clock
  log: Log
  registry: Registry
}): {
  halts: Halts
  start(supervisor: Supervisor): void
  door(desk: OrderDesk, accountIds: () => string[]): OpsKill
} {
  const { config, clock, log, registry } = deps
  if (config.stateDir === undefined)
    log.warn({}, 'STATE_DIR is not set: a halt outlives this process in Postgres alone')
  const halts = createHalts({
    ...{ stateDir: config.stateDir, clock, log },
    store: createHaltStore(deps.pool, deps.instanceId),
  })
  new Gauge({
    name: 'ticker_halted_accounts',
    help: 'Accounts that this instance has halted by itself, until a person lets them trade again',
    registers: [registry],
    collect() {
      this.set(halts.list().length)
    },
  })
  return {
    halts,
    start(supervisor) {
      supervisor.run('halts', halts.run)
    },
    door: (desk, accountIds) =>
      createOpsKill({
        ...{ tokenSha256: config.killTokenSha256, clock, halts, accountIds },
        sweep: desk.sweep,
        sweeps: desk.sweeps,
      }),
  }
}
