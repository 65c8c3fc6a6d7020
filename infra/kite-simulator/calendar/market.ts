// Whether instruments may tick now. The market is always open unless a segment is told to follow the calendar, to be
// closed, or to halt. Instruments tick in the phase `open` only: what the broker sends in the auctions is not known
// (KITE.md 12), and in the closing auction the spot stands still.
import type { SimClock } from '../clock.ts'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { ExchangeCalendar, type Phase } from './calendar.ts'
import {
  HOUR_GROUPS,
  type HourGroup,
  MARKET_SEGMENTS,
  type MarketSegment,
  segmentOfGroup,
} from './segments.ts'

export const CALENDAR_MODES = ['always_open', 'real', 'closed'] as const
export type CalendarMode = (typeof CALENDAR_MODES)[number]

const GROUP_INDEX = new Map<string, number>(HOUR_GROUPS.map((group, index) => [group, index]))

export interface GroupView {
  calendar: CalendarMode
  phase: Phase | 'halted'
  /** Of the calendar's phase; null when the calendar is not followed. */
  until: string | null
  confirmed: boolean
  name: string | null
}

export class Market {
  readonly #clock: SimClock
  readonly #calendar: ExchangeCalendar
  readonly #modes = new Map<MarketSegment, CalendarMode>()
  readonly #halted = new Set<MarketSegment>()
  readonly #withDerivatives: ReadonlySet<string>

  constructor(
    clock: SimClock,
    book: InstrumentBook,
    mode: CalendarMode = 'always_open',
    calendar: ExchangeCalendar = new ExchangeCalendar(),
  ) {
    this.#clock = clock
    this.#calendar = calendar
    this.setCalendar(mode)
    const names = new Set<string>()
    for (const { exchange, name } of book.all()) if (exchange === 'NFO' || exchange === 'BFO') names.add(name)
    this.#withDerivatives = names
  }

  setCalendar(mode: CalendarMode, segments: readonly MarketSegment[] = MARKET_SEGMENTS): void {
    for (const segment of segments) this.#modes.set(segment, mode)
  }

  /** Whether days of trading end here at all. */
  get hasHours(): boolean {
    return [...this.#modes.values()].includes('real')
  }

  setHalt(halted: boolean, segments: readonly MarketSegment[] = MARKET_SEGMENTS): void {
    for (const segment of segments) {
      if (halted) this.#halted.add(segment)
      else this.#halted.delete(segment)
    }
  }

  /** An index into `openGroups`; -1, always open, for exchanges without known hours. */
  groupOf({ exchange, segment, tradingsymbol }: Instrument): number {
    const cash = exchange === 'NSE' || exchange === 'BSE'
    const auctioned = cash && (segment === 'INDICES' || this.#withDerivatives.has(tradingsymbol))
    const name = auctioned ? `${exchange}-CAS` : exchange
    return GROUP_INDEX.get(name) ?? -1
  }

  /** Between which minutes of an IST day (counted since 1970) it trades by the calendar, whatever ticks now. */
  openMinutes(instrument: Instrument, day: number): { from: number; to: number } | null {
    const group = HOUR_GROUPS[this.groupOf(instrument)]
    return group === undefined ? null : this.#calendar.openMinutes(group, day)
  }

  /** Whether each group ticks now. */
  openGroups(): boolean[] {
    const nowMs = this.#clock.nowMs()
    return HOUR_GROUPS.map((group) => this.#phaseOf(group, nowMs) === 'open')
  }

  /** Whether it ticks now. */
  isOpen(instrument: Instrument): boolean {
    const group = HOUR_GROUPS[this.groupOf(instrument)]
    return group === undefined || this.#phaseOf(group, this.#clock.nowMs()) === 'open'
  }

  /** Whether an after-market order is taken now: always, unless the calendar is followed and has a session. */
  takesAfterHours(instrument: Instrument): boolean {
    const group = HOUR_GROUPS[this.groupOf(instrument)]
    if (group === undefined || this.#modeOf(group) !== 'real') return true
    const { phase } = this.#calendar.phaseAt(group, this.#clock.nowMs())
    return phase === 'closed' || phase === 'post_close'
  }

  view(): Record<string, GroupView> {
    const nowMs = this.#clock.nowMs()
    const entries = HOUR_GROUPS.map((group): [HourGroup, GroupView] => {
      const calendar = this.#modeOf(group)
      const phase = this.#phaseOf(group, nowMs)
      if (calendar !== 'real') return [group, { calendar, phase, until: null, confirmed: true, name: null }]
      const { until_ms, confirmed, name } = this.#calendar.phaseAt(group, nowMs)
      return [group, { calendar, phase, until: new Date(until_ms).toISOString(), confirmed, name }]
    })
    return Object.fromEntries(entries)
  }

  #modeOf(group: HourGroup): CalendarMode {
    return this.#modes.get(segmentOfGroup(group)) ?? 'always_open'
  }

  #phaseOf(group: HourGroup, nowMs: number): Phase | 'halted' {
    if (this.#halted.has(segmentOfGroup(group))) return 'halted'
    const mode = this.#modeOf(group)
    if (mode === 'real') return this.#calendar.phaseAt(group, nowMs).phase
    return mode === 'closed' ? 'closed' : 'open'
  }
}
