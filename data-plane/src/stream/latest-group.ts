// What one client is given at one rate. Nothing is noted per tick: an instrument has changed when its lane has ticked
// more often than when it was last given. Clients of a rate are spread over its flushes.
import { NOT_READING } from '../market-data/fan-out.ts'
import type { Interest } from './client.ts'

export interface LatestGroup {
  readonly periodMs: number
  /** Where in the period this client's turn is. */
  readonly phaseMs: number
  /** Interests at this rate, flowing or not. */
  holders: number
  /** The last period that was served. */
  served: number
  /** Those that flow; beside each, its lane's index, and that lane's ticks when it was last given. */
  readonly interests: Interest[]
  readonly lanes: number[]
  readonly seen: number[]
  /** Where to go on, when a client that reads slowly was given a part only. */
  next: number
}

/** Its first turn is in the period that follows: until then there is its snapshot. */
export function createLatestGroup(periodMs: number, phaseMs: number, nowMs: number): LatestGroup {
  const phase = phaseMs % periodMs
  return {
    periodMs,
    phaseMs: phase,
    holders: 0,
    served: periodAt({ periodMs, phaseMs: phase }, nowMs),
    interests: [],
    lanes: [],
    seen: [],
    next: 0,
  }
}

export function periodAt({ periodMs, phaseMs }: Pick<LatestGroup, 'periodMs' | 'phaseMs'>, nowMs: number) {
  return Math.floor((nowMs - phaseMs) / periodMs)
}

/** From the next tick on: what there is now (`ticks`) was in its snapshot. */
export function addToGroup(group: LatestGroup, interest: Interest, ticks: number) {
  if (interest.place !== NOT_READING) return
  interest.place = group.interests.push(interest) - 1
  group.lanes.push(interest.lane.index)
  group.seen.push(ticks)
}

export function removeFromGroup({ interests, lanes, seen }: LatestGroup, interest: Interest) {
  const { place } = interest
  if (place === NOT_READING) return
  const [last, lane, ticks] = [interests.pop(), lanes.pop(), seen.pop()]
  if (last && last !== interest) {
    interests[place] = last
    lanes[place] = lane ?? 0
    seen[place] = ticks ?? 0
    last.place = place
  }
  interest.place = NOT_READING
}
