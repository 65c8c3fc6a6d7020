import { until } from '../local/seed.ts'

/** A fault that goes on for this long. */
export async function lasts(ms: number): Promise<void> {
  const endMs = performance.now() + ms
  await until('it has lasted', async () => performance.now() >= endMs, 2 * ms)
}
