// How an instrument behaves: most trade all the time, but a market also has instruments that hardly trade, that never
// did, and that sit on a circuit limit with one side of their depth empty. None of them is a fault.
import { isIndexToken } from '@ticker/shared/kite-wire'
import { seededRandom, seedFrom } from '../random.ts'

export const CONDUCTS = ['normal', 'rare', 'never', 'upper_circuit', 'lower_circuit'] as const
export type Conduct = (typeof CONDUCTS)[number]

/** How much rarer than a normal instrument all but `normal` tick. */
export const RARE_FACTOR = 0.01
/** Circuit limits as fractions of the previous close; the same that `/quote` tells. */
export const UPPER_CIRCUIT = 1.2
export const LOWER_CIRCUIT = 0.8

/** `thinShare` of all instruments but indices are not normal; which ones follows from the seed. */
export function conductOf(seed: number, token: number, thinShare: number): Conduct {
  if (thinShare === 0 || isIndexToken(token)) return 'normal'
  const random = seededRandom(seedFrom(seed, `conduct:${token}`))
  if (random.next() >= thinShare) return 'normal'
  const kind = random.next()
  if (kind < 0.5) return 'rare'
  if (kind < 0.8) return 'never'
  return kind < 0.9 ? 'upper_circuit' : 'lower_circuit'
}

/** The chance of a tick in a round, from that of a normal instrument. */
export function chanceOf(conduct: Conduct, chance: number): number {
  if (conduct === 'normal') return chance
  return conduct === 'never' ? 0 : chance * RARE_FACTOR
}
