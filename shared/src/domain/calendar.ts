import { z } from 'zod'
import { calendarDate, exchange } from './instruments.ts'
import { storedText } from './text.ts'

const at = z.string().meta({ description: 'RFC 3339, UTC', example: '2026-11-23T03:45:00.000Z' })
const unconfirmed = z.boolean().meta({
  description:
    'Derived, of no circular, or past the published holidays. Live ticks prove a market open, whatever this says',
})
const source = z.string().nullable().meta({ description: 'Circular or page' })
const name = z.string().nullable().meta({ description: 'The holiday or special session, if the day is one' })

/** Longest answer of /v1/calendar. */
export const CALENDAR_DAYS_MAX = 92

export const brokerTimes = z
  .object({
    mis_cutoff: at.meta({
      description: 'The broker squares off intraday positions and takes no new ones from here on',
    }),
    amo_until: at.meta({
      description: 'After-market orders for this day are taken until here, in its morning',
    }),
    amo_from: at.meta({ description: 'After-market orders for the next day are taken from here on' }),
    unconfirmed,
    source: z.string(),
  })
  .meta({ id: 'BrokerTimes' })

export const calendarDay = z
  .object({
    date: z.string().meta({ description: 'The day in India', example: '2026-11-23' }),
    exchange,
    trading: z.boolean().meta({ description: 'Whether there is continuous trading at all' }),
    name,
    phases: z.array(
      z.object({ phase: z.enum(['pre_open', 'open', 'closing_auction', 'post_close']), from: at, to: at }),
    ),
    unconfirmed,
    source,
    stored: z
      .boolean()
      .meta({ description: 'An operator said so with PUT /v1/calendar/days, not this release' }),
    broker: brokerTimes.nullable().meta({ description: 'null on a day without trading' }),
  })
  .meta({ id: 'CalendarDay' })
export type CalendarDay = z.infer<typeof calendarDay>

export const calendarDays = z
  .object({
    known_until: z
      .string()
      .meta({ description: 'The last day whose holidays are known', example: '2026-12-31' }),
    items: z.array(calendarDay),
  })
  .meta({ id: 'CalendarDays' })

export const marketNow = z
  .object({
    items: z.array(
      z.object({
        exchange,
        phase: z.enum(['pre_open', 'open', 'closing_auction', 'post_close', 'closed']),
        until: at.meta({
          description: 'When the phase next changes; at the latest the end of the day in India',
        }),
        next_open: at.nullable().meta({ description: 'When continuous trading next begins' }),
        name,
        unconfirmed,
      }),
    ),
  })
  .meta({ id: 'MarketNow' })

export const expiry = z
  .object({
    exchange,
    name: z.string().meta({ description: 'Of the underlying, as the dump has it', example: 'NIFTY' }),
    expiry: z.string().meta({ example: '2026-12-29' }),
    futures: z.int(),
    options: z.int(),
    trading: z.boolean().meta({ description: 'false: the calendar has no trading on that day' }),
    unconfirmed,
  })
  .meta({ id: 'Expiry' })

export const CALENDAR_PUT_DAYS_MAX = 100
/** So far back and ahead a day may be stored. */
export const CALENDAR_STORED_DAYS = { back: 31, ahead: 800 }

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day in India, hh:mm')
  .meta({ example: '18:00' })

const plannedPhase = z
  .strictObject({
    phase: z.enum(['pre_open', 'open', 'closing_auction', 'post_close']),
    from: time,
    to: time,
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'later than from' })

export const calendarDayPut = z.strictObject({
  date: calendarDate.meta({ example: '2026-11-08' }),
  exchanges: z.array(exchange).min(1).max(20),
  name: storedText(100, 1).meta({ description: 'Of the holiday or session', example: 'Muhurat trading' }),
  phases: z
    .array(plannedPhase)
    .max(10)
    .refine(
      (phases) => phases.every(({ from }, n) => n === 0 || (phases[n - 1]?.to ?? '') <= from),
      'in order, none begins before the one before has ended',
    )
    .meta({ description: 'None: closed all day' }),
  source: storedText(300, 1).meta({
    description: 'Circular, page, or who says so',
    example: 'NSE CMTR76001',
  }),
  unconfirmed: z.boolean().default(false).meta({ description: 'You do not have it from the exchange' }),
})
export type CalendarDayPut = z.infer<typeof calendarDayPut>

export const calendarPut = z
  .strictObject({
    days: z.array(calendarDayPut).max(CALENDAR_PUT_DAYS_MAX),
    known_until: calendarDate.optional().meta({
      description: 'Up to this day all holidays are among what is stored or released: a new year is known',
    }),
  })
  .refine(
    ({ days, known_until }) => days.length > 0 || known_until !== undefined,
    'name a day or known_until',
  )
  .meta({ id: 'CalendarPut' })
export type CalendarPut = z.infer<typeof calendarPut>

export const calendarPutResult = z
  .object({ stored: z.int().meta({ description: 'Days of exchanges' }), known_until: z.string() })
  .meta({ id: 'CalendarPutResult' })
