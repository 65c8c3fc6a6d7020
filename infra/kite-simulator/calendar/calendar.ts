// Which phase a group of instruments is in by the dated rows of `exchange-hours.json`. Rows say where they come
// from and whether a circular confirms them; past `known_until` only weekends are known to be closed.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { DAY_MS, IST_OFFSET_MS } from '../ist-time.ts'
import { HOUR_GROUPS, type HourGroup } from './segments.ts'

export const PHASES = ['pre_open', 'open', 'closing_auction', 'post_close', 'closed'] as const
export type Phase = (typeof PHASES)[number]

export interface PhaseAt {
  phase: Phase
  /** When the next phase begins; at the latest the end of the IST day. */
  until_ms: number
  confirmed: boolean
  /** Of a holiday or special session. */
  name: string | null
}

const date = z.iso.date()
const row = {
  groups: z.array(z.enum(HOUR_GROUPS)).min(1),
  /** When each phase begins, IST; before the first the market is closed. */
  phases: z.array(z.tuple([z.string().regex(/^\d\d:\d\d$/), z.enum(PHASES)])),
  confirmed: z.boolean(),
  source: z.string(),
}
const schema = z.strictObject({
  known_until: date,
  hours: z.array(z.strictObject({ from: date, ...row })),
  days: z.array(z.strictObject({ dates: z.array(date).min(1), name: z.string(), ...row })),
})
export type CalendarRows = z.output<typeof schema>

type DayPlan = {
  day: number
  starts: { minute: number; phase: Phase }[]
  confirmed: boolean
  name: string | null
}

const MINUTES_A_DAY = 24 * 60

export function readCalendarRows(): CalendarRows {
  return schema.parse(JSON.parse(readFileSync(new URL('./exchange-hours.json', import.meta.url), 'utf8')))
}

export class ExchangeCalendar {
  readonly #rows: CalendarRows
  /** The day last asked for, of each group: it is asked on every round of ticks. */
  readonly #plans = new Map<HourGroup, DayPlan>()

  constructor(rows: CalendarRows = readCalendarRows()) {
    this.#rows = rows
  }

  phaseAt(group: HourGroup, epochMs: number): PhaseAt {
    const istMs = epochMs + IST_OFFSET_MS
    const day = Math.floor(istMs / DAY_MS)
    const { starts, confirmed, name } = this.#planOf(group, day)
    const minute = (istMs - day * DAY_MS) / 60_000
    const next = starts.find((start) => start.minute > minute)
    return {
      phase: starts.findLast((start) => start.minute <= minute)?.phase ?? 'closed',
      until_ms: day * DAY_MS + (next?.minute ?? MINUTES_A_DAY) * 60_000 - IST_OFFSET_MS,
      confirmed,
      name,
    }
  }

  /** Minutes of an IST day (counted since 1970) between which the group trades continuously; null: not that day. */
  openMinutes(group: HourGroup, day: number): { from: number; to: number } | null {
    const { starts, name } = this.#makePlan(group, day)
    // Before the first row of hours the market kept the first that we know.
    const earliest = this.#rows.hours.find((each) => each.groups.includes(group))
    const known = starts.length > 0 || name !== null ? starts : inMinutes(earliest?.phases ?? [])
    const first = known.findIndex(({ phase }) => phase === 'open')
    const from = known[first]?.minute
    return from === undefined ? null : { from, to: known[first + 1]?.minute ?? MINUTES_A_DAY }
  }

  #planOf(group: HourGroup, day: number): DayPlan {
    const known = this.#plans.get(group)
    if (known?.day === day) return known
    const plan = this.#makePlan(group, day)
    this.#plans.set(group, plan)
    return plan
  }

  #makePlan(group: HourGroup, day: number): DayPlan {
    const isoDate = new Date(day * DAY_MS).toISOString().slice(0, 10)
    const { days, hours, known_until } = this.#rows
    const special = days.find((each) => each.groups.includes(group) && each.dates.includes(isoDate))
    if (special !== undefined) {
      return { day, starts: inMinutes(special.phases), confirmed: special.confirmed, name: special.name }
    }
    // 1 January 1970 was a Thursday.
    const weekday = (day + 4) % 7
    if (weekday === 0 || weekday === 6) return { day, starts: [], confirmed: true, name: 'weekend' }
    const normal = hours.findLast((each) => each.groups.includes(group) && each.from <= isoDate)
    const confirmed = normal?.confirmed === true && isoDate <= known_until
    return { day, starts: inMinutes(normal?.phases ?? []), confirmed, name: null }
  }
}

function inMinutes(phases: CalendarRows['days'][number]['phases']): DayPlan['starts'] {
  return phases.map(([time, phase]) => ({
    minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3)),
    phase,
  }))
}
