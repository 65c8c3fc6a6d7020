// Between which the trigger of a cover order may be, of one side.
import { z } from 'zod'
import { type TriggerRange, triggerRange } from '../domain/margins.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { rowOf, UNREADABLE } from './rows.ts'

const ranges = z.record(z.string(), z.unknown())

export async function getTriggerRanges(
  http: KiteHttp,
  credentials: Credentials,
  side: 'buy' | 'sell',
  instruments: readonly string[],
): Promise<KiteOutcome<Record<string, TriggerRange>>> {
  const query = new URLSearchParams(instruments.map((key): [string, string] => ['i', key]))
  const path = `/instruments/trigger_range/${side}?${query}`
  const outcome = await request(http, path, { method: 'GET', credentials })
  if (!outcome.ok) return outcome
  const said = ranges.safeParse(outcome.data)
  if (!said.success) return UNREADABLE
  const known = Object.entries(said.data).flatMap(([key, each]) => {
    const range = rowOf(triggerRange, each)
    return range ? [[key, range] as const] : []
  })
  return { ok: true, data: Object.fromEntries(known) }
}
