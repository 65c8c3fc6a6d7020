// The exits of one owned account: looked at on every pass of its order path, each taken as far as it goes.
import { EXIT_LEGS_MAX } from '@ticker/shared/domain'
import type { AccountOrdersDeps, OrderAccount } from '../orders/deps.ts'
import type { Owner } from '../orders/owned-sql.ts'
import type { StoredExit } from './exit-store.ts'
import { exitView } from './exit-view.ts'
import { filledOf, type Market, nextSteps, type Step } from './next-step.ts'

/** Time is seen to have passed this late at most; and no leg is looked at more often than that. */
const LOOK_EVERY_MS = 500
/** An exit takes this many rounds of steps on one pass at most, the rest on the next. */
const ROUNDS_MAX = 3

export interface DueExits {
  /** `stored`: orders or changes of theirs are due now; `delayMs` to the next look, undefined: nothing to look at. */
  advance(account: OrderAccount): Promise<{ stored: boolean; delayMs: number | undefined }>
}

type Deps = Pick<
  AccountOrdersDeps,
  | ('accountId' | 'instanceId' | 'exits' | 'exitMarket' | 'exitMetrics')
  | ('lease' | 'log' | 'clock' | 'isHalted' | 'onExitAlarm')
>

export function createDueExits(deps: Deps): DueExits {
  const { accountId, exits, exitMarket, exitMetrics: metrics, log, clock } = deps
  /** By exit and leg. */
  let lookedMs = new Map<string, number>()

  function blockedBy({ session, observed }: OrderAccount): string | undefined {
    if (!observed.active) return 'The account is disabled.'
    if (!observed.trading) return 'Trading is not enabled for this account.'
    if (observed.order_gate_reason !== null) return `The order gate is closed: ${observed.order_gate_reason}`
    return session ? undefined : 'The account is not logged in.'
  }

  const viewOf = (exit: StoredExit, account: OrderAccount, market: ReadonlyMap<number, Market>) =>
    exitView(exit, {
      halted: account.observed.trading_state === 'HALTED' || deps.isHalted(),
      ...{ blocked: blockedBy(account), market },
    })

  /** What is to be looked at is, and then it is asked again; of what was just looked at, later. */
  async function nextOf(exit: StoredExit, account: OrderAccount) {
    const first = nextSteps(viewOf(exit, account, new Map()))
    const nowMs = clock.monotonicMs()
    const legs = first.steps
      .flatMap((step) => (step.do === 'look' ? [step.leg] : []))
      .filter(
        (leg) => nowMs - (lookedMs.get(`${exit.id}/${leg}`) ?? Number.NEGATIVE_INFINITY) >= LOOK_EVERY_MS,
      )
    if (legs.length === 0) {
      const isLooking = first.steps.some((step) => step.do === 'look')
      return isLooking ? { ...first, waiting: exit.waiting ?? undefined } : first
    }
    const market = await exitMarket.look(account, exit, legs)
    for (const leg of legs) lookedMs.set(`${exit.id}/${leg}`, clock.monotonicMs())
    if (market.size === 0) return { ...first, waiting: 'Positions cannot be read.' }
    return nextSteps(viewOf(exit, account, market))
  }

  async function plan(exit: StoredExit, account: OrderAccount, owner: Owner): Promise<boolean> {
    const name = `${exit.id}/plan`
    if (clock.monotonicMs() - (lookedMs.get(name) ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return false
    lookedMs.set(name, clock.monotonicMs())
    const legs = await exitMarket.plan(account, exit.request)
    if (legs && legs.length <= EXIT_LEGS_MAX) return exits.plan(exit, legs, owner)
    if (legs) {
      const reason = `${legs.length} positions are held; an exit is of ${EXIT_LEGS_MAX} at most.`
      return end(exit, { state: 'STOPPED', code: 'too_many_positions', reason }, owner)
    }
    await say(exit, 'Positions cannot be read.', owner)
    return false
  }

  async function say(exit: StoredExit, waiting: string | undefined, owner: Owner) {
    if ((waiting ?? null) !== exit.waiting) await exits.waits(exit, waiting, owner)
  }

  async function end(exit: StoredExit, to: Omit<Step & { do: 'end' }, 'do'>, owner: Owner) {
    const moved = await exits.move(exit, to, owner)
    if (!moved) return false
    metrics.ended.inc({ reason: to.state === 'DONE' ? 'done' : (to.code ?? 'stopped') })
    if (to.code === undefined) return true
    log.error({ exit_id: exit.id, code: to.code, reason: to.reason }, 'an exit has left a position')
    deps.onExitAlarm(accountId, 'risk.exit_failed', { exit_id: exit.id, reason: to.reason })
    return true
  }

  async function stop(exit: StoredExit, { code, reason }: Step & { do: 'stop' }, owner: Owner) {
    const moved = await exits.move(exit, { state: 'STOPPING', code, reason }, owner)
    if (moved) log.warn({ exit_id: exit.id, code, reason }, 'an exit is stopped')
    return moved
  }

  /** Whether that changed anything. */
  async function take(exit: StoredExit, step: Step, account: OrderAccount, owner: Owner): Promise<boolean> {
    switch (step.do) {
      case 'look':
        return false
      case 'plan':
        return plan(exit, account, owner)
      case 'place':
        return exits.place(exit, step, step, owner)
      case 'reprice': {
        const stored = await exits.reprice(exit, step, step.price, owner)
        if (stored) metrics.repriced.inc()
        return stored
      }
      case 'cancel':
        return exits.cancel(exit, step, owner)
      case 'cancel_others':
        return exits.cancelOthers(exit, step.leg, owner)
      case 'shrink':
        return exits.shrink(exit, step.leg, step.quantity, owner)
      case 'stop':
        return stop(exit, step, owner)
      case 'end':
        return end(exit, step, owner)
    }
  }

  async function alarm(exit: StoredExit, owner: Owner) {
    const left = exitView(exit, { halted: false, blocked: undefined, market: new Map() }).legs?.flatMap(
      (leg) => {
        const quantity = leg.quantity - filledOf(leg)
        return quantity > 0 ? [{ position: leg.name, quantity }] : []
      },
    )
    const detail = { left: left ?? null, waiting: exit.waiting, after_s: exit.request.alarm_after_s }
    if (!(await exits.alarm(exit, detail, owner))) return
    metrics.alarms.inc()
    log.error({ exit_id: exit.id, ...detail }, 'an exit rests: not everything was closed in time')
    deps.onExitAlarm(accountId, 'risk.exit_resting', { exit_id: exit.id, ...detail })
  }

  return {
    async advance(account) {
      if (!account.observed.live_exits || !deps.lease.mayAct()) {
        if (lookedMs.size > 0) lookedMs = new Map()
        if (!account.observed.live_exits) gauge([])
        return { stored: false, delayMs: undefined }
      }
      const owner = { instanceId: deps.instanceId, epoch: account.epoch }
      let stored = false
      let live: StoredExit[] = []
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        live = await exits.live(accountId)
        let moved = false
        for (const exit of live) {
          const { steps, waiting } = await nextOf(exit, account)
          let hasMoved = false
          for (const step of steps) if (await take(exit, step, account, owner)) hasMoved = true
          if (hasMoved) moved = true
          else if (exit.legs !== null || steps.length === 0) await say(exit, waiting, owner)
          if (!exit.alarmed && exit.ageS > exit.request.alarm_after_s) await alarm(exit, owner)
        }
        if (!moved) break
        stored = true
      }
      gauge(live)
      return { stored, delayMs: live.length > 0 ? LOOK_EVERY_MS : undefined }
    },
  }

  function gauge(live: readonly StoredExit[]) {
    metrics.live.set({ account: accountId }, live.length)
    metrics.resting.set({ account: accountId }, live.filter(({ alarmed }) => alarmed).length)
  }
}
