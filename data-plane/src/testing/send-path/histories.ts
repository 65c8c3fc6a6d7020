// Many histories, or the one of `SEED`; those that end wrong are named by their seed.
import { runHistory } from './history.ts'

export async function brokenHistories(first: number, count: number) {
  const broken: { seed: number; wrong: string[] }[] = []
  const states: Record<string, number> = {}
  let writes = 0
  for (let seed = first; seed < first + count; seed += 1) {
    const history = await runHistory(seed)
    writes += history.writes
    for (const [state, n] of Object.entries(history.states)) states[state] = (states[state] ?? 0) + n
    if (history.wrong.length > 0) broken.push({ seed, wrong: history.wrong })
  }
  return { broken, states, writes }
}
