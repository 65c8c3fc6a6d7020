// Which connection of an account carries which instrument. Pure: what is placed stays where it is while it fits,
// new instruments fill the lowest connection with room, and when not all fit the most needed ones win.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { Target } from './subscription-frames.ts'

const NONE: Target = new Map()

export interface Placement {
  /** One target per connection; always at least one (order updates need a socket even without instruments). */
  connections: Map<number, Mode>[]
  /** What does not fit on connections * perConnection. */
  refused: number[]
}

export function placeInstruments(
  wanted: Target,
  previous: readonly Target[],
  limits: { connections: number; perConnection: number },
  /** Connections to use only for what fits nowhere else. */
  avoided: ReadonlySet<number> = new Set(),
): Placement {
  const homes = previous
    .slice(0, limits.connections)
    .map((tokens, index) => (avoided.has(index) ? NONE : tokens))
  const homeOf = (token: number) => homes.findLastIndex((tokens) => tokens.has(token))
  const capacity = limits.connections * limits.perConnection
  const allFit = wanted.size <= capacity
  const chosen = allFit ? wanted : new Map(mostNeeded(wanted, homeOf).slice(0, capacity))
  const connections: Map<number, Mode>[] = Array.from({ length: limits.connections }, () => new Map())
  const homeless: [number, Mode][] = []
  chosen.forEach((mode, token) => {
    const connection = connections[homeOf(token)]
    if (connection && connection.size < limits.perConnection) connection.set(token, mode)
    else homeless.push([token, mode])
  })
  const order = [...connections.keys()].sort((a, b) => Number(avoided.has(a)) - Number(avoided.has(b)))
  let turn = 0
  for (const [token, mode] of homeless) {
    while ((connections[order[turn] ?? 0]?.size ?? 0) >= limits.perConnection) turn += 1
    connections[order[turn] ?? 0]?.set(token, mode)
  }
  while (connections.length > 1 && connections.at(-1)?.size === 0) connections.pop()
  return { connections, refused: allFit ? [] : [...wanted.keys()].filter((token) => !chosen.has(token)) }
}

/** Higher mode first, then what is served already (moving costs a gap), then the lower token: stable everywhere. */
function mostNeeded(wanted: Target, homeOf: (token: number) => number): [number, Mode][] {
  return [...wanted].sort(
    ([tokenA, modeA], [tokenB, modeB]) =>
      modeRank(modeB) - modeRank(modeA) ||
      Number(homeOf(tokenB) >= 0) - Number(homeOf(tokenA) >= 0) ||
      tokenA - tokenB,
  )
}
