// When each exchange trades, dated, with the circular it comes from. Data, not rules: a new circular is a new row.
// Exchanges by the broker's names: NSE, BSE cash; NFO, BFO equity derivatives; CDS, BCD currency; MCX, NCO, BCO
// commodity. Times are IST. `confirmed: false`: derived, or no circular was found.

export type Phase = 'pre_open' | 'open' | 'closing_auction' | 'post_close' | 'closed'

/** [from, to, phase], IST 'hh:mm', in order; what no span covers is closed. */
export type Span = readonly [from: string, to: string, phase: Exclude<Phase, 'closed'>]

export interface NormalHours {
  exchanges: readonly string[]
  /** First IST day these hours hold; until the exchange's next row. */
  from: string
  spans: readonly Span[]
  confirmed: boolean
  source: string
}

export interface SpecialDay {
  date: string
  exchanges: readonly string[]
  /** Empty: closed all day. */
  spans: readonly Span[]
  name: string
  confirmed: boolean
  source: string
  /** An operator said so; absent: it is of the release. */
  stored?: boolean
}

/** Where contracts stop trading before the day's close on the day they expire. */
export interface EarlyExpiry {
  exchanges: readonly string[]
  /** IST 'hh:mm'. */
  time: string
  confirmed: boolean
  source: string
}

export interface CalendarData {
  /** Holidays are known up to and including this IST day. */
  knownUntil: string
  hours: readonly NormalHours[]
  days: readonly SpecialDay[]
  earlyExpiries: readonly EarlyExpiry[]
}

const EQUITY = ['NSE', 'NFO', 'BSE', 'BFO']
const CURRENCY = ['CDS', 'BCD']
const COMMODITY = ['MCX', 'NCO', 'BCO']
/** Every exchange there are hours of. */
export const CALENDAR_EXCHANGES: readonly string[] = [...EQUITY, ...CURRENCY, ...COMMODITY]
const ALL = [...EQUITY, ...CURRENCY, ...COMMODITY]

const day: Span[] = [
  ['09:00', '09:15', 'pre_open'],
  ['09:15', '15:30', 'open'],
]
const until = (close: string): Span[] => [['09:00', close, 'open']]
const evening = (close: string): Span[] => [['17:00', close, 'open']]

const hours = (
  exchanges: string[],
  from: string,
  spans: Span[],
  source: string,
  confirmed = true,
): NormalHours => ({ exchanges, from, spans, source, confirmed })

const closed = (date: string, name: string, exchanges: string[], source: string): SpecialDay => ({
  date,
  name,
  exchanges,
  spans: [],
  source,
  confirmed: true,
})

/** Closed for equity and currency; commodity trades in the evening. MCX published nothing we have. */
const closedUntilEvening = (date: string, name: string, close: string): SpecialDay[] => [
  closed(date, name, [...EQUITY, ...CURRENCY], 'BSE 20251212-8, 20251223-12; NSE CMTR71775, FAOP71777'),
  {
    date,
    name: `${name} (morning)`,
    exchanges: COMMODITY,
    spans: evening(close),
    source: 'NSE COM71784, COM72699; BSE 20251215-5, 20260209-18; none found for MCX',
    confirmed: false,
  },
]

export const CALENDAR_DATA: CalendarData = {
  knownUntil: '2026-12-31',
  hours: [
    hours(['NSE', 'BSE'], '2025-12-01', [...day, ['15:40', '16:00', 'post_close']], 'NSE CMTR72349'),
    // Stocks without derivatives trade on to 15:30; those with them, and the indices, stop for the auction at 15:15.
    hours(
      ['NSE', 'BSE'],
      '2026-08-03',
      [
        ['09:00', '09:15', 'pre_open'],
        ['09:15', '15:15', 'open'],
        ['15:15', '15:35', 'closing_auction'],
        ['15:50', '16:00', 'post_close'],
      ],
      'SEBI 16 Jan 2026; NSE CMTR74466, CMTR75479; BSE 20260610-41, 20260801-1',
    ),
    hours(['NFO', 'BFO'], '2025-12-01', day, 'NSE FAOP71640; BSE 20251110-40'),
    hours(
      ['NFO', 'BFO'],
      '2026-08-03',
      [
        ['09:00', '09:15', 'pre_open'],
        ['09:15', '15:40', 'open'],
      ],
      'NSE FAOP74467; BSE 20260612-9, 20260801-2',
    ),
    hours(CURRENCY, '2025-12-01', until('17:00'), 'broker page; no circular found', false),
    // With US summer time to 23:30, otherwise to 23:55.
    hours(COMMODITY, '2025-12-01', until('23:55'), 'NSE COM72263, COM71784; none found for MCX', false),
    hours(COMMODITY, '2026-03-09', until('23:30'), 'NSE COM72699; BSE 20260209-18; none for MCX', false),
    hours(COMMODITY, '2026-11-02', until('23:55'), 'derived from the US change of time', false),
    hours(COMMODITY, '2027-03-15', until('23:30'), 'derived from the US change of time', false),
    hours(COMMODITY, '2027-11-08', until('23:55'), 'derived from the US change of time', false),
  ],
  days: [
    closed('2025-12-25', 'Christmas', ALL, 'NSE CMPT71239, CD71135, COM71134; BSE 20251113-38'),
    {
      date: '2026-01-01',
      name: 'New Year (commodity evening)',
      exchanges: COMMODITY,
      spans: until('17:00'),
      source: 'BSE 20251215-5; NSE COM71784 and COM71931 conflict',
      confirmed: false,
    },
    ...closedUntilEvening('2026-01-15', 'Maharashtra municipal elections', '23:55'),
    closed('2026-01-26', 'Republic Day', ALL, 'NSE CMTR71775; BSE 20251212-8, 20251215-5'),
    {
      date: '2026-02-01',
      name: 'Union Budget session (Sunday)',
      exchanges: EQUITY,
      spans: day,
      source: 'NSE CMTR72349, FAOP72352; BSE 20260116-33, -34',
      confirmed: true,
    },
    {
      date: '2026-02-01',
      name: 'Union Budget session (Sunday)',
      exchanges: COMMODITY,
      spans: until('17:00'),
      source: 'NSE COM72351; BSE 20260116-35; none found for MCX',
      confirmed: false,
    },
    closed('2026-02-19', 'Shivaji Jayanti', CURRENCY, 'NSE CD71962; BSE 20251223-12'),
    ...closedUntilEvening('2026-03-03', 'Holi', '23:55'),
    closed('2026-03-19', 'Gudi Padwa', CURRENCY, 'NSE CD71962; BSE 20251223-12'),
    ...closedUntilEvening('2026-03-26', 'Shri Ram Navami', '23:30'),
    ...closedUntilEvening('2026-03-31', 'Shri Mahavir Jayanti', '23:30'),
    closed('2026-04-01', 'Annual bank closing', CURRENCY, 'NSE CD71962; BSE 20251223-12'),
    closed('2026-04-03', 'Good Friday', ALL, 'NSE CMTR71775; BSE 20251212-8, 20251215-5'),
    ...closedUntilEvening('2026-04-14', 'Ambedkar Jayanti', '23:30'),
    ...closedUntilEvening('2026-05-01', 'Maharashtra Day', '23:30'),
    ...closedUntilEvening('2026-05-28', 'Bakri Id', '23:30'),
    ...closedUntilEvening('2026-06-26', 'Muharram', '23:30'),
    closed('2026-08-26', 'Id-E-Milad', CURRENCY, 'NSE CD71962; BSE 20251223-12'),
    ...closedUntilEvening('2026-09-14', 'Ganesh Chaturthi', '23:30'),
    closed('2026-10-02', 'Mahatma Gandhi Jayanti', ALL, 'NSE CMTR71775; BSE 20251212-8, 20251215-5'),
    ...closedUntilEvening('2026-10-20', 'Dussehra', '23:30'),
    {
      date: '2026-11-08',
      name: 'Muhurat trading (Sunday), hours not found',
      exchanges: ALL,
      spans: [],
      source: 'NSE CMTR71775; BSE 20251212-8: "notified separately"',
      confirmed: false,
    },
    ...closedUntilEvening('2026-11-10', 'Diwali Balipratipada', '23:55'),
    ...closedUntilEvening('2026-11-24', 'Guru Nanak Jayanti', '23:55'),
    closed('2026-12-25', 'Christmas', ALL, 'NSE CMTR71775; BSE 20251212-8, 20251215-5'),
  ],
  earlyExpiries: [
    {
      exchanges: CURRENCY,
      time: '12:30',
      confirmed: false,
      source: 'contract specification; no circular found',
    },
  ],
}
