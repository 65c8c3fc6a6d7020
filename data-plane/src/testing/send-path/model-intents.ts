// What intent-store.ts does to its rows, in memory: simulated crashes need thousands of runs. model.db.test.ts holds
// it against the statements themselves.
import type { IntentState } from '@ticker/shared/domain'
import type { Claim, IntentStore, Settlement } from '../../orders/intent-store.ts'
import type { ModelIntent, ModelState, RunStatement } from './model-state.ts'

export function modelIntents(run: RunStatement): IntentStore {
  return {
    due: (_account, limit) =>
      run(({ intents }, nowMs) =>
        [...intents.values()]
          .filter((row) => row.state === 'QUEUED' && row.deadlineMs > nowMs && row.notBeforeMs <= nowMs)
          .sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .map(({ id, tag, request, createdMs, attempts }) => ({
            ...{ id, tag, request, createdMs, attempts, cancelRequested: false },
          })),
      ),
    expireOverdue: (_account, isWritten) =>
      run((state, nowMs) =>
        moveAll(
          state,
          'EXPIRED',
          (row) => row.state === 'QUEUED' && row.deadlineMs <= nowMs && !isWritten(row.id),
        ),
      ),
    refuse: (_account, intentId) =>
      run((state) => moveAll(state, 'REFUSED', isQueued(intentId)).length === 1),
    cancelUnsent: async () => false,
    refuseIfGated: (_account, intentId) =>
      run((state) => state.gateReason !== null && moveAll(state, 'REFUSED', isQueued(intentId)).length === 1),
    claim: (intentId, sender) =>
      run((state, nowMs) => {
        const row = state.intents.get(intentId)
        const { owner } = state
        const isOwner =
          owner.instanceId === sender.instanceId &&
          owner.epoch === sender.epoch &&
          owner.leaseUntilMs > nowMs &&
          state.gateReason === null
        if (row?.state !== 'QUEUED' || row.deadlineMs <= nowMs || !isOwner) return undefined
        row.state = 'SENDING'
        row.sendingEpoch = sender.epoch
        row.sendingMs = nowMs
        row.attempts += 1
        return { intentId, epoch: sender.epoch, attempt: row.attempts }
      }),
    claimedBy: (_account, epoch) =>
      run(({ intents }) =>
        [...intents.values()]
          .filter((row) => row.state === 'SENDING' && row.sendingEpoch === epoch)
          .map((row) => ({ intentId: row.id, epoch, attempt: row.attempts })),
      ),
    unclaim: (claim) =>
      run((state) => {
        const isClaimed = (row: ModelIntent) => row.state === 'SENDING' && isOf(claim, row)
        return moveAll(state, 'QUEUED', isClaimed).length === 1
      }),
    settle: (claim, settlement) => run((state, nowMs) => settle(state, claim, settlement, nowMs)),
    orphansToUnknown: (_account, epoch) =>
      run((state, nowMs) => {
        const isOrphan = (row: ModelIntent) => row.state === 'SENDING' && row.sendingEpoch !== epoch
        const moved = moveAll(state, 'UNKNOWN', isOrphan)
        for (const id of moved) readAt(state, id, nowMs)
        return moved
      }),
    unknownDue: () =>
      run(({ intents }, nowMs) =>
        [...intents.values()]
          .filter((row) => row.state === 'UNKNOWN' && row.nextReadMs <= nowMs)
          .map(({ id, reads }) => ({ id, reads })),
      ),
    unknownSummary: () =>
      run(({ intents }, nowMs) => {
        const rows = [...intents.values()].filter((row) => row.state === 'UNKNOWN')
        const nextMs = Math.min(...rows.map((row) => row.nextReadMs))
        return {
          count: rows.length,
          oldestMs: Math.max(0, ...rows.map((row) => nowMs - (row.sendingMs ?? nowMs))),
          nextReadMs: rows.length === 0 ? undefined : Math.max(0, nextMs - nowMs),
        }
      }),
    unknownRead: (intentId, nextReadMs) =>
      run(({ intents }, nowMs) => {
        const row = intents.get(intentId)
        if (row?.state !== 'UNKNOWN') return
        row.reads += 1
        row.nextReadMs = nowMs + nextReadMs
      }),
    counts: () =>
      run(({ intents }, nowMs) => {
        const sent = [...intents.values()].filter((row) => row.sendingMs !== undefined)
        const isRecent = (row: ModelIntent) => (row.sendingMs ?? 0) > nowMs - 60_000
        return { today: sent.length, lastMinute: sent.filter(isRecent).length }
      }),
    closeGate: (_account, reason) =>
      run((state) => {
        state.gateReason = reason
      }),
  }
}

function settle(state: ModelState, claim: Claim, settlement: Settlement, nowMs: number): boolean {
  const row = state.intents.get(claim.intentId)
  if (!row) return false
  if (settlement.state === 'ACCEPTED') {
    const isNews = row.state !== 'ACCEPTED'
    if (isNews) row.brokerOrderId ??= settlement.orderIds[0]
    row.state = 'ACCEPTED'
    for (const orderId of settlement.orderIds) if (!state.links.has(orderId)) state.links.set(orderId, row.id)
    return isNews
  }
  const from: IntentState[] = settlement.state === 'UNKNOWN' ? ['SENDING'] : ['SENDING', 'UNKNOWN']
  const lostClaim = settlement.state !== 'QUEUED' && row.state === 'QUEUED' && row.attempts <= claim.attempt
  if (!(from.includes(row.state) && isOf(claim, row)) && !lostClaim) return false
  row.state = settlement.state
  row.sendingEpoch = claim.epoch
  row.attempts = claim.attempt
  row.sendingMs ??= nowMs
  if (settlement.state === 'QUEUED') row.notBeforeMs = nowMs + settlement.retryAfterMs
  if (settlement.state === 'UNKNOWN') readAt(state, row.id, nowMs + settlement.firstReadMs)
  return true
}

function readAt(state: ModelState, id: string, atMs: number) {
  const row = state.intents.get(id)
  if (!row) return
  row.nextReadMs = atMs
  row.reads = 0
}

function moveAll(state: ModelState, to: IntentState, which: (row: ModelIntent) => boolean): string[] {
  const rows = [...state.intents.values()].filter(which)
  for (const row of rows) row.state = to
  return rows.map(({ id }) => id)
}

const isQueued = (intentId: string) => (row: ModelIntent) => row.id === intentId && row.state === 'QUEUED'
const isOf = (claim: Claim, row: ModelIntent) =>
  row.id === claim.intentId && row.sendingEpoch === claim.epoch && row.attempts === claim.attempt
