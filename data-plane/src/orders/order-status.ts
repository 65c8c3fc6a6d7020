// The broker's status words, ordered along an order's life (SIMULATOR-FIDELITY: Order life). The list is open:
// an unknown word ranks in the middle, so that it neither hides progress nor undoes an end.

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
  COMPLETE: 9,
  CANCELLED: 9,
  REJECTED: 9,
}
const UNKNOWN_RANK = 3
export const TERMINAL_RANK = 9

export function statusRank(status: string): number {
  return RANKS[status] ?? UNKNOWN_RANK
}
