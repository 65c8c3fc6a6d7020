// Where what clients hold is streamed: in the room that the rows leave on accounts of the same owner which this instance
// owns. The rows' own assignment is never touched. What is placed stays; what is streamed already is raised in place.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { Target } from '../../kite-socket/subscription-frames.ts'
import type { OwnedAccount } from '../../ownership/owned-account.ts'
import type { DesiredAccount } from '../assign.ts'
import { type Held, type InterestRefusal, isHeld, type Standing } from './held.ts'

export interface Surroundings {
  /** What the rows assign, by account, over all instances. */
  base: ReadonlyMap<string, Target>
  /** All accounts there are. */
  accounts: readonly DesiredAccount[]
  owned: readonly OwnedAccount[]
  isKnown(token: number): boolean
}

export type Decide = (held: Held, standing: Standing, account?: string, served?: Mode) => void

/** An account that can take more. */
interface Room {
  id: string
  capacity: number
  base: Target
  /** The base itself until something is added. */
  target: Target
  added: Map<number, Mode> | undefined
}

/** Decides each held instrument once; returns what each account streams with them. */
export function placeInterest(
  owners: Iterable<[owner: string, held: ReadonlyMap<number, Held>]>,
  around: Surroundings,
  decide: Decide,
): Map<string, Target> {
  const targets = new Map(around.base)
  for (const [owner, held] of owners) {
    const rooms = roomsOf(owner, around)
    placeOwner(held.values(), rooms, around.isKnown, refusalFor(owner, rooms, around), decide)
    for (const { id, added } of rooms) if (added) targets.set(id, added)
  }
  return targets
}

/** A socket needs a session, and a broker that takes it; what the rows give an account without is not streamed. */
export const canStream = ({ session, socketRefused }: OwnedAccount) => session !== undefined && !socketRefused

function roomsOf(owner: string, { owned, base }: Surroundings): Room[] {
  return owned
    .filter((account) => account.owner === owner && canStream(account))
    .map((account) => {
      const given: Target = base.get(account.accountId) ?? new Map()
      const capacity = account.maxConnections * account.maxInstrumentsPerConnection
      return { id: account.accountId, capacity, base: given, target: given, added: undefined }
    })
}

function refusalFor(
  owner: string,
  rooms: readonly Room[],
  { accounts, owned }: Surroundings,
): InterestRefusal {
  if (rooms.length > 0) return 'no_capacity'
  if (owned.some((account) => account.owner === owner)) return 'no_session'
  const active = accounts.filter((account) => account.owner === owner && account.active)
  if (active.length === 0) return 'no_account'
  return active.some((account) => account.session_active) ? 'elsewhere' : 'no_session'
}

/** First what is streamed, then what is asked for anew, and only then what nobody holds at the moment. */
function placeOwner(
  held: Iterable<Held>,
  rooms: readonly Room[],
  isKnown: (token: number) => boolean,
  refusal: InterestRefusal,
  decide: Decide,
) {
  const [fresh, released]: [Held[], Held[]] = [[], []]
  const withRows = rooms.filter(({ base }) => base.size > 0)
  for (const each of held) {
    if (raiseInPlace(each, withRows, decide)) continue
    if (!isKnown(each.token)) decide(each, 'unknown_instrument')
    else if (!isHeld(each)) released.push(each)
    else if (!stay(each, rooms, decide)) fresh.push(each)
  }
  for (const each of fresh) settle(each, rooms, refusal, decide)
  for (const each of released) if (!stay(each, rooms, decide)) settle(each, rooms, refusal, decide)
}

/** The rows have it on one of the accounts already. */
function raiseInPlace(held: Held, rooms: readonly Room[], decide: Decide): boolean {
  const { token, mode } = held
  for (const room of rooms) {
    const given = room.base.get(token)
    if (!given) continue
    if (modeRank(given) >= modeRank(mode)) decide(held, 'streams', room.id)
    else take(held, room, decide)
    return true
  }
  return false
}

function stay(held: Held, rooms: readonly Room[], decide: Decide): boolean {
  for (const room of rooms) {
    if (room.id !== held.account) continue
    if (roomIn(room) <= 0) return false
    take(held, room, decide)
    return true
  }
  return false
}

/** On the account it prefers, otherwise on the one with the most room. */
function settle(held: Held, rooms: readonly Room[], refusal: InterestRefusal, decide: Decide) {
  let best: Room | undefined
  for (const room of rooms) {
    const left = roomIn(room)
    if (left <= 0) continue
    if (room.id === held.preferred) return take(held, room, decide)
    if (!best || left > roomIn(best)) best = room
  }
  if (best) take(held, best, decide)
  else decide(held, refusal)
}

const roomIn = ({ capacity, target }: Room) => capacity - target.size

function take(held: Held, room: Room, decide: Decide) {
  room.added ??= new Map(room.base)
  room.target = room.added
  // Higher than what the rows give, if they give anything.
  room.added.set(held.token, held.mode)
  decide(held, 'streams', room.id, held.mode)
}
