// The broker's status words, ordered along an order's life (SIMULATOR-FIDELITY: Order life). The list is open:
// an unknown word ranks in the middle, so that it neither hides progress nor undoes an end.
import { TERMINAL_RANK } from '@ticker/shared/domain'

const RANKS: Record<string, number> = {
  'PUT ORDER REQ RECEIVED': 0,
  'AMO REQ RECEIVED': 0,
  'VALIDATION PENDING': 1,
  'OPEN PENDING': 2,
  OPEN: 4,
  'TRIGGER PENDING': 4,
  UPDATE: 5,
  'MODIFY VALIDATION PENDING': 5,
  'MODIFY PENDING': 5,
  MODIFIED: 5,
  'CANCEL PENDING': 6,
  COMPLETE: TERMINAL_RANK,
  CANCELLED: TERMINAL_RANK,
  REJECTED: TERMINAL_RANK,
}
const UNKNOWN_RANK = 3
/** Open at the exchange, waiting for its trigger, or just changed there. */
const WORKING_RANKS = [4, 5]

/** Whether the broker modifies an order in this state (KITE.md 5.1). */
export function isWorking(status: string): boolean {
  return WORKING_RANKS.includes(statusRank(status))
}

/** Whether a modify is worth a request: while an earlier one is on its way, the broker refuses it. */
export function isModifiable(status: string): boolean {
  return isWorking(status) && !status.startsWith('MODIFY ')
}

/** Whether a cancel is worth a request: on its way to the exchange, or being cancelled, the broker refuses it. */
export function isCancellable(status: string): boolean {
  return isWorking(status) || statusRank(status) === UNKNOWN_RANK || status === 'AMO REQ RECEIVED'
}

export function statusRank(status: string): number {
  return RANKS[status] ?? UNKNOWN_RANK
}
