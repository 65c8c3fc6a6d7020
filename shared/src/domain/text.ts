import { z } from 'zod'

/** NUL and half of a surrogate pair: JSON and URLs can carry them, PostgreSQL's text cannot. */
const UNSTORABLE = /[\0\p{Surrogate}]/u

export const isStorable = (value: string) => !UNSTORABLE.test(value)
export const UNSTORABLE_WORDS = 'holds a NUL or half of a surrogate pair, which cannot be stored'

/** Text from outside that may reach the database. Every such field is one of these or has a pattern of its own. */
export const storedText = (charactersMax: number, charactersMin = 0) =>
  z.string().min(charactersMin).max(charactersMax).refine(isStorable, UNSTORABLE_WORDS)
