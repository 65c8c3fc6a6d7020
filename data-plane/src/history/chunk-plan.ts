// Which requests bring the days that are missing: as few as the broker's limit per request allows.
import { addDays } from '@ticker/shared/domain'

/** IST days, both included. */
export interface DayRange {
  fromDay: string
  toDay: string
}

/** `missing` ascending. Days between two missing ones come along when that saves a request. */
export function planChunks(missing: readonly string[], daysMax: number): DayRange[] {
  const chunks: DayRange[] = []
  let chunk: DayRange | undefined
  let last = ''
  for (const day of missing) {
    if (chunk && day <= last) chunk.toDay = day
    else {
      chunk = { fromDay: day, toDay: day }
      last = addDays(day, daysMax - 1)
      chunks.push(chunk)
    }
  }
  return chunks
}
