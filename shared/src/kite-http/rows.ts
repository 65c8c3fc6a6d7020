// Rows of the broker read by our schema of them: what it does not say is null, the noise of its floats is gone, and one row in
// a shape that we do not know hides no other.
import { z } from 'zod'
import type { KiteOutcome } from './envelope.ts'

/** More than any account has. */
export const ROWS_MAX = 5_000
/** Averages of the broker have six decimals, prices four at most. */
const DECIMALS = 1e6

export interface Rows<T> {
  rows: T[]
  /** Of another shape, or too many. */
  omitted: number
}

const record = z.record(z.string(), z.unknown())

/** Undefined: of another shape. */
export function rowOf<Shape extends z.ZodObject>(shape: Shape, said: unknown): z.output<Shape> | undefined {
  const parsed = shape.safeParse(tidied(shape, said))
  return parsed.success ? parsed.data : undefined
}

export function rowsOf<Shape extends z.ZodObject>(shape: Shape, said: unknown): Rows<z.output<Shape>> {
  const all: unknown[] = Array.isArray(said) ? said : []
  const rows: z.output<Shape>[] = []
  for (const each of all.slice(0, ROWS_MAX)) {
    const row = rowOf(shape, each)
    if (row !== undefined) rows.push(row)
  }
  return { rows, omitted: all.length - rows.length }
}

/** A list that is none is unreadable; no list at all is an empty one. */
export function listed<Shape extends z.ZodObject>(
  shape: Shape,
  outcome: KiteOutcome<unknown>,
): KiteOutcome<Rows<z.output<Shape>>> {
  if (!outcome.ok) return outcome
  if (outcome.data !== null && !Array.isArray(outcome.data)) return UNREADABLE
  return { ok: true, data: rowsOf(shape, outcome.data) }
}

export const UNREADABLE: KiteOutcome<never> = { ok: false, failure: { kind: 'unreadable', status: 200 } }

function tidied(shape: unknown, value: unknown): unknown {
  if (shape instanceof z.ZodObject) {
    const said = record.safeParse(value ?? {})
    if (!said.success) return value
    return Object.fromEntries(
      Object.entries(shape.shape).map(([name, inner]) => [name, tidied(inner, said.data[name])]),
    )
  }
  if (typeof value === 'number') return Math.round(value * DECIMALS) / DECIMALS
  return value ?? null
}
