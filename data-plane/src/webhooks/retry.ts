// When a delivery that failed is tried again: soon at first, then ever more rarely, for a day.
import { WEBHOOK_TRIED_HOURS } from '@ticker/shared/domain'

const [S, MIN, H] = [1_000, 60_000, 3_600_000]
const DELAYS_MS = [5 * S, 30 * S, 2 * MIN, 10 * MIN, 30 * MIN, H, 2 * H]
const DELAY_MAX_MS = 4 * H
/** Many that failed at once do not come back at once. */
const SPREAD = 0.2
/** After so many attempts, of a delivery that was queued this long ago; undefined: it is dead. */
export function retryDelayMs(
  attempts: number,
  queuedForMs: number,
  random: () => number,
): number | undefined {
  const delayMs = (DELAYS_MS[attempts - 1] ?? DELAY_MAX_MS) * (1 + SPREAD * random())
  return queuedForMs + delayMs > WEBHOOK_TRIED_HOURS * H ? undefined : Math.round(delayMs)
}
