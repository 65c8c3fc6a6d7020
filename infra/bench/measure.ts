// Timing that survives a noisy machine: baseline and ours in turn, medians, and their ratio.

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Nearest rank. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** Least squares: y = intercept + slope × x. */
export function linearFit(points: readonly (readonly [x: number, y: number])[]): {
  slope: number
  intercept: number
} {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point[0]), mean((point) => point[1])]
  const slope =
    mean((point) => (point[0] - x) * (point[1] - y)) / mean((point) => (point[0] - x) * (point[0] - x))
  return { slope, intercept: y - slope * x }
}

/** Calls `work` until minMs have passed; returns calls per second. */
export async function ratePerSecond(work: () => unknown, minMs: number): Promise<number> {
  const startedMs = performance.now()
  let calls = 0
  do {
    await work()
    calls += 1
  } while (performance.now() - startedMs < minMs)
  return (calls / (performance.now() - startedMs)) * 1000
}

export interface Row {
  what: string
  value: string
  target: string
}

export const rounded = (value: number) => Math.round(value).toLocaleString('en-US')
