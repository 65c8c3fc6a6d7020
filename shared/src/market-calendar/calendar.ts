// Which phase an exchange is in at a moment, from dated data. A guide, not a gate: live ticks prove a market open
// whatever the calendar says, because holidays are announced late and sessions are added on Sundays.
import { CALENDAR_DATA, type CalendarData, type NormalHours, type Phase, type Span } from './calendar-data.ts'

export interface PhaseAt {
  phase: Phase
  /** When the phase next changes; at the latest the end of the IST day. */
  untilMs: number
  /** False: derived, past the known holidays, or an exchange we have no data of (then `closed`). */
  confirmed: boolean
  /** The holiday or special session, if the day is one. */
  name: string | undefined
}

export interface MarketCalendar {
  /** `exchange` by the broker's name: NSE, NFO, BSE, BFO, CDS, BCD, MCX, NCO, BCO. */
  phaseAt(exchange: string, epochMs: number): PhaseAt
  /** What that exchange plans for an IST day, `YYYY-MM-DD`. */
  day(exchange: string, date: string): TradingDay
  /** When continuous trading next begins, at this moment or later; undefined: not within two weeks. */
  nextOpenMs(exchange: string, epochMs: number): number | undefined
  /** Whether that exchange's trading of this IST day has ended. False where the hours are not confirmed. */
  isDayOver(exchange: string, epochMs: number): boolean
  /** When contracts that expire on this IST day (YYYY-MM-DD) trade for the last time; undefined: hours unknown. */
  expiryOn(exchange: string, date: string): { atMs: number; confirmed: boolean } | undefined
  /** Days left until the holidays are not known any more; negative past it. */
  knownForDays(epochMs: number): number
  /** What is known at present: another object when something of it has changed. */
  data(): CalendarData
}

export interface TradingDay {
  /** In order; none: closed all day, or open at hours that nobody has published (then not confirmed). */
  phases: { phase: Exclude<Phase, 'closed'>; fromMs: number; toMs: number }[]
  confirmed: boolean
  name: string | undefined
  /** Circular or page; undefined: a weekend, or nothing known of the exchange. */
  source: string | undefined
  /** An operator said so, not the release. */
  stored: boolean
}

const NEXT_OPEN_DAYS_MAX = 14
const IST_OFFSET_MS = 330 * 60_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

interface DayPlan {
  spans: { fromMinute: number; toMinute: number; phase: Exclude<Phase, 'closed'> }[]
  confirmed: boolean
  name: string | undefined
  source: string | undefined
  stored: boolean
}

/** `read` gives what is known at present: what an operator stores holds at once. */
export function createMarketCalendar(read: () => CalendarData = () => CALENDAR_DATA): MarketCalendar {
  /** The last day asked for, of each exchange: it is asked many times a second. */
  const plans = new Map<string, { data: CalendarData; day: number; plan: DayPlan }>()

  function planOf(exchange: string, day: number): DayPlan {
    const data = read()
    const known = plans.get(exchange)
    if (known?.day === day && known.data === data) return known.plan
    const plan = makePlan(data, exchange, day)
    plans.set(exchange, { data, day, plan })
    return plan
  }

  function at(exchange: string, epochMs: number) {
    const istMs = epochMs + IST_OFFSET_MS
    const day = Math.floor(istMs / DAY_MS)
    return { day, plan: planOf(exchange, day), minute: (istMs - day * DAY_MS) / MINUTE_MS }
  }

  return {
    data: read,
    phaseAt(exchange, epochMs) {
      const { day, plan, minute } = at(exchange, epochMs)
      const current = plan.spans.find((span) => minute >= span.fromMinute && minute < span.toMinute)
      const next = plan.spans.find((span) => span.fromMinute > minute)
      const untilMinute = current?.toMinute ?? next?.fromMinute ?? 24 * 60
      return {
        phase: current?.phase ?? 'closed',
        untilMs: day * DAY_MS + untilMinute * MINUTE_MS - IST_OFFSET_MS,
        confirmed: plan.confirmed,
        name: plan.name,
      }
    },
    day(exchange, date) {
      const day = Math.floor(Date.parse(date) / DAY_MS)
      const { spans, ...plan } = makePlan(read(), exchange, day)
      return { ...plan, phases: phasesOf(day, spans) }
    },
    nextOpenMs(exchange, epochMs) {
      const today = Math.floor((epochMs + IST_OFFSET_MS) / DAY_MS)
      for (let day = today; day <= today + NEXT_OPEN_DAYS_MAX; day += 1) {
        const next = phasesOf(day, makePlan(read(), exchange, day).spans).find(
          ({ phase, fromMs }) => phase === 'open' && fromMs >= epochMs,
        )
        if (next) return next.fromMs
      }
      return undefined
    },
    isDayOver(exchange, epochMs) {
      const { plan, minute } = at(exchange, epochMs)
      const last = lastOpen(plan.spans)
      return plan.confirmed && last !== undefined && minute >= last.toMinute
    },
    expiryOn(exchange, date) {
      const dayMs = Date.parse(date)
      if (Number.isNaN(dayMs)) return undefined
      const data = read()
      const early = data.earlyExpiries.find(({ exchanges }) => exchanges.includes(exchange))
      const plan = makePlan(data, exchange, dayMs / DAY_MS)
      // On a holiday announced after the dump the contract moves; until it has, the usual close is the best guess.
      const isTradingDay = lastOpen(plan.spans) !== undefined
      const spans = isTradingDay ? plan.spans : inMinutes(normalHours(data, exchange, date)?.spans ?? [])
      const minute = early ? minuteOf(early.time) : lastOpen(spans)?.toMinute
      if (minute === undefined) return undefined
      const confirmed = isTradingDay && (early ?? plan).confirmed
      return { atMs: dayMs + minute * MINUTE_MS - IST_OFFSET_MS, confirmed }
    },
    knownForDays: (epochMs) =>
      Math.floor((Date.parse(read().knownUntil) + DAY_MS - epochMs - IST_OFFSET_MS) / DAY_MS),
  }
}

function makePlan(data: CalendarData, exchange: string, day: number): DayPlan {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10)
  const special = data.days.find((each) => each.date === date && each.exchanges.includes(exchange))
  if (special)
    return {
      spans: inMinutes(special.spans),
      confirmed: special.confirmed,
      name: special.name,
      source: special.source,
      stored: special.stored ?? false,
    }
  // 1 January 1970 was a Thursday.
  const weekday = (day + 4) % 7
  if (weekday === 0 || weekday === 6)
    return { spans: [], confirmed: true, name: 'weekend', source: undefined, stored: false }
  const normal = normalHours(data, exchange, date)
  if (!normal) return { spans: [], confirmed: false, name: undefined, source: undefined, stored: false }
  return {
    spans: inMinutes(normal.spans),
    confirmed: normal.confirmed && date <= data.knownUntil,
    name: undefined,
    source: normal.source,
    stored: false,
  }
}

const lastOpen = (spans: DayPlan['spans']) => spans.findLast(({ phase }) => phase === 'open')

function normalHours(data: CalendarData, exchange: string, date: string): NormalHours | undefined {
  return data.hours.filter((row) => row.exchanges.includes(exchange) && row.from <= date).at(-1)
}

function phasesOf(day: number, spans: DayPlan['spans']): TradingDay['phases'] {
  const atMs = (minute: number) => day * DAY_MS + minute * MINUTE_MS - IST_OFFSET_MS
  return spans.map(({ phase, fromMinute, toMinute }) => ({
    phase,
    fromMs: atMs(fromMinute),
    toMs: atMs(toMinute),
  }))
}

function inMinutes(spans: readonly Span[]): DayPlan['spans'] {
  return spans.map(([from, to, phase]) => ({ fromMinute: minuteOf(from), toMinute: minuteOf(to), phase }))
}

function minuteOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}
