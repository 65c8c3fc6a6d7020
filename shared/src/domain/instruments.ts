import { z } from 'zod'
import { keyOfAlias } from './symbol-aliases.ts'
import { isStorable, UNSTORABLE_WORDS } from './text.ts'

export const exchange = z
  .string()
  .regex(/^[A-Z]{2,10}$/, 'an exchange is NSE, NFO, BSE, BFO, MCX, CDS, BCD …')
  .meta({ example: 'NSE' })

/** A day that a calendar and a database both know: theirs begin and end elsewhere than ISO's. */
export const calendarDate = z.iso
  .date()
  .refine((date) => date >= '2000' && date < '2200', 'a day of this century or the next')

export const instrumentToken = z.int().min(1).max(4_294_967_295).meta({ example: 408065 })

/** exchange:tradingsymbol; symbols hold spaces, &, - and dots, and the first colon splits. */
export const instrumentKey = z
  .string()
  .max(120)
  .regex(/^[A-Z]{2,10}:[^\s:][^:]*$/, 'an instrument is a token or "EXCHANGE:TRADINGSYMBOL"')
  .refine(isStorable, UNSTORABLE_WORDS)
  .meta({ example: 'NSE:INFY' })

/** A symbol as other feeds write it; what the dump lists by that very name comes first. */
const instrumentAlias = z
  .string()
  .max(120)
  .refine(isStorable, UNSTORABLE_WORDS)
  .refine(
    (text) => keyOfAlias(text) !== undefined,
    'an instrument is a token, "EXCHANGE:TRADINGSYMBOL" or an alias',
  )
  .meta({ description: 'INFY, INFY.NS, NSE:INFY-EQ, ^NSEI, NIFTY50 …', example: 'INFY.NS' })

/** Everywhere an instrument is named, a token, exchange:tradingsymbol or an alias will do. */
export const instrumentRef = z
  .union([instrumentToken, instrumentKey, instrumentAlias])
  .meta({ id: 'InstrumentRef' })
export type InstrumentRef = z.infer<typeof instrumentRef>

export const instrument = z
  .object({
    instrument_token: instrumentToken,
    exchange_token: z.int(),
    exchange,
    tradingsymbol: z.string(),
    name: z.string(),
    expiry: z.string().nullable().meta({ description: 'YYYY-MM-DD' }),
    strike: z.number(),
    tick_size: z.number(),
    lot_size: z.int(),
    instrument_type: z.string().meta({ description: 'EQ, FUT, CE or PE' }),
    segment: z.string().meta({ example: 'NFO-OPT' }),
    tradable: z.boolean().meta({ description: 'false for an index' }),
  })
  .meta({ id: 'Instrument' })
export type Instrument = z.infer<typeof instrument>

/** One instrument, with what the dump does not say of it. */
export const instrumentDetail = instrument
  .extend({
    underlying: instrumentKey.nullable().meta({
      description:
        'Of a derivative, where it trades itself; null for commodities and currencies, which have but futures',
      example: 'NSE:NIFTY 50',
    }),
    multiplier: z.int().nullable().meta({
      description:
        'Rupees that a price one rupee higher makes of one quantity; null where quantities are lots and nobody has said of how much',
    }),
    multiplier_terms: z
      .object({ from: z.string(), unconfirmed: z.boolean(), source: z.string() })
      .nullable()
      .meta({ description: 'Where the multiplier of a lot is from; null where quantities are units' }),
    price_protection: z
      .object({
        percent: z.number(),
        rupees_min: z.number(),
        ...{ from: z.string(), unconfirmed: z.boolean(), source: z.string() },
      })
      .nullable()
      .meta({
        description:
          'How far from its reference price an order may be before the exchange refuses it: the larger of the two; null: not known',
      }),
    freeze_quantity: z
      .object({ quantity: z.int(), from: z.string(), unconfirmed: z.boolean(), source: z.string() })
      .nullable()
      .meta({ description: "The most one order may ask for; known of indices' derivatives only" }),
  })
  .meta({ id: 'InstrumentDetail' })
export type InstrumentDetail = z.infer<typeof instrumentDetail>

const dumpSha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 of 0-9 and a-f')

export const instrumentRefreshCreate = z
  .strictObject({
    force_sha256: dumpSha256.optional().meta({
      description:
        '`refused_sha256` of a refusal: stores that dump though an exchange lost more than a fifth of its unexpired ' +
        'contracts in it. Any other dump is judged as ever',
    }),
  })
  .meta({ id: 'InstrumentRefreshCreate' })

/** What no data plane took within this time has failed: whoever asked then is asked to look again. */
export const REFRESH_WAITS_MINUTES_MAX = 10

/** From the end of one refresh that was asked for to the next: it is the broker's largest file. */
export const REFRESH_PAUSE_S = 60

export const instrumentRefresh = z
  .object({
    id: z.string().meta({ example: 'ref_0193b1f0c0de7a55' }),
    force_sha256: z.string().nullable(),
    state: z.enum(['waiting', 'stored', 'failed']),
    requested_by: z
      .string()
      .nullable()
      .meta({ description: 'Id of the API key; null: one of another owner' }),
    requested_at: z.string(),
    finished_at: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Why it failed; the last good dump is kept' }),
    row_count: z.int().nullable().meta({ description: 'Instruments in the stored dump' }),
    refused_sha256: z.string().nullable().meta({
      description:
        'The dump that was refused because instruments disappeared; force_sha256 of another request stores it',
    }),
  })
  .meta({ id: 'InstrumentRefresh' })
export type InstrumentRefresh = z.infer<typeof instrumentRefresh>

/** What a dump can say otherwise than the one before about a contract that has not expired. */
export const INSTRUMENT_CHANGES = [
  'instrument_token',
  'tradingsymbol',
  'lot_size',
  'tick_size',
  'strike',
  'expiry',
  'gone',
] as const
export type InstrumentChangeKind = (typeof INSTRUMENT_CHANGES)[number]

export const instrumentChange = z
  .object({
    id: z.int(),
    snapshot_id: z.int().meta({ description: 'Of the dump that said so' }),
    at: z.string(),
    exchange,
    tradingsymbol: z.string().meta({ description: 'As it was before' }),
    name: z.string(),
    change: z.enum(INSTRUMENT_CHANGES).meta({
      description:
        'What differs; tradingsymbol: the contract has another name now; gone: no longer listed, before its expiry',
    }),
    before: z.string().nullable(),
    after: z.string().nullable(),
  })
  .meta({ id: 'InstrumentChange' })

export function splitInstrumentKey(key: string): { exchange: string; tradingsymbol: string } {
  const colon = key.indexOf(':')
  return { exchange: key.slice(0, colon), tradingsymbol: key.slice(colon + 1) }
}
