import { calendarDate, type HistoryPage, type HistoryQuery } from '@ticker/shared/domain'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { decodeCursor, encodeCursor } from '../http/pagination.ts'
import { headOf, type Known } from './ask.ts'
import { type Place, readCandles } from './candles.ts'

/** Undefined: from the beginning. */
export function placeOf(cursor: string | undefined): Place | undefined {
  const decoded = decodeCursor(cursor, z.tuple([calendarDate, z.int().min(0).max(1_439)]))
  return decoded && { day: decoded[0], minute: decoded[1] }
}

export async function historyPageOf(
  call: Call,
  known: Known,
  query: HistoryQuery,
  place: Place | undefined,
): Promise<HistoryPage> {
  const { source, complete, loads, pricing, range } = known
  const from = place ?? { day: range.fromDay, minute: 0 }
  const { candles, next } = source
    ? await readCandles(call, source, from, query.limit)
    : { candles: [], next: undefined }
  // What is not known yet begins where what is known ends.
  const rest = next ?? (complete ? undefined : later(from, source?.beforeDay))
  return {
    ...headOf(known, query.continuous),
    complete,
    candles,
    next_cursor: rest ? encodeCursor([rest.day, rest.minute]) : null,
    loads,
    pricing,
    synthetic: call.deps.config.realm === 'sim',
  }
}

const later = (from: Place, day: string | undefined): Place =>
  day === undefined || day <= from.day ? from : { day, minute: 0 }
