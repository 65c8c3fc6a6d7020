// Writes to the broker that carry no tag: GTTs and the conversion of positions. Each is an intent, as an order is: stored first,
// sent at most once, and settled by reading when its answer is lost.
import { z } from 'zod'

export const WRITE_STATES = [
  'QUEUED',
  'SENDING',
  'ACCEPTED',
  'REJECTED',
  'UNKNOWN',
  'EXPIRED',
  'REFUSED',
  'RELEASED',
] as const
export const writeState = z.enum(WRITE_STATES).meta({
  id: 'AccountWriteState',
  description:
    'ACCEPTED: the broker has done it. UNKNOWN: sent, and not known whether it was done; it is never sent again. ' +
    'REFUSED: not sent. EXPIRED: not sent by its deadline. RELEASED: given up in doubt',
})
export type WriteState = z.infer<typeof writeState>

export const WRITE_KINDS = ['gtt_place', 'gtt_modify', 'gtt_delete', 'convert'] as const
export type WriteKind = (typeof WRITE_KINDS)[number]

/** Every transition that may happen, and no other; what is seen done at the broker is ACCEPTED whatever it was given up as. */
export const WRITE_TRANSITIONS: Record<WriteState, readonly WriteState[]> = {
  // The last three: a sending whose claim the database has lost, settled by the process that sent.
  QUEUED: ['SENDING', 'EXPIRED', 'REFUSED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'],
  SENDING: ['ACCEPTED', 'REJECTED', 'UNKNOWN', 'QUEUED'],
  UNKNOWN: ['ACCEPTED', 'REJECTED', 'QUEUED', 'RELEASED'],
  RELEASED: ['ACCEPTED'],
  ACCEPTED: [],
  REJECTED: [],
  EXPIRED: [],
  REFUSED: [],
}

/** States in which a caller may wait for more. */
export const PENDING_WRITE_STATES: readonly WriteState[] = ['QUEUED', 'SENDING']

/** What every such write says of itself. */
export const writeFields = {
  state: writeState,
  reason_code: z.string().nullable(),
  reason: z.string().nullable(),
  deadline: z.string().meta({ description: 'Not sent by then: EXPIRED' }),
  paper: z.boolean().meta({ description: 'Of a paper account' }),
  synthetic: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
}

export const expiresInS = z
  .int()
  .min(1)
  .max(300)
  .default(30)
  .meta({ description: 'Not sent by then: EXPIRED' })

/** A person may give up what is in doubt once it was read without it for so long. */
export const WRITE_RELEASE_AFTER_S = 90
