// Cursor pagination: the cursor is the sort key of the last row seen, opaque to callers.
import { isStorable } from '@ticker/shared/domain'
import { z } from 'zod'
import { Refused } from './problem.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1000

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z.string().max(1000).optional().meta({ description: 'next_cursor of the page before' }),
})
export type PageQuery = z.output<typeof pageQuery>

export function page<Item extends z.ZodType>(item: Item, id: string) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() }).meta({ id })
}

/** Rows must have been read with limit + 1: the extra one only says that there is more. */
export function pageOf<Row>(rows: Row[], limit: number, keyOf: (row: Row) => (string | number)[]) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next_cursor: rows.length > limit && last ? encodeCursor(keyOf(last)) : null }
}

export function encodeCursor(key: (string | number)[]): string {
  const bytes = new TextEncoder().encode(JSON.stringify(key))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** One part of a cursor that is text in the database. */
export const cursorText = z.string().refine(isStorable)

/** The parts of a cursor, or the refusal of one that no page gave out. */
export function decodeCursor<Key extends z.ZodType>(
  cursor: string | undefined,
  key: Key,
): z.output<Key> | undefined {
  if (cursor === undefined) return undefined
  try {
    const text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
    return key.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    throw new Refused({
      code: 'invalid_request',
      errors: [{ path: 'cursor', message: 'not a cursor of this list; start without one' }],
    })
  }
}
