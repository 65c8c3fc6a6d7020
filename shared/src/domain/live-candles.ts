// Candles made of ticks, as they are read from the store.
import { z } from 'zod'
import { candle, candleInterval, HISTORY_INTERVALS } from './candles.ts'
import { exchange, instrumentToken } from './instruments.ts'

/** How long candles are kept, and so the longest range. */
export const LIVE_CANDLES_KEPT_DAYS = 7

const moment = z.iso.datetime({ offset: true, error: 'an RFC 3339 time, as 2026-11-25T09:15:00+05:30' })

export const liveCandleQuery = z.strictObject({
  interval: z.enum(HISTORY_INTERVALS).default('1m').meta({ description: 'A minute or more' }),
  from: moment.optional().meta({ description: 'The beginning of the IST day of `to` when absent' }),
  to: moment.optional().meta({ description: 'Now when absent; a candle that begins then is not included' }),
})

export const storedCandle = candle
  .extend({
    volume: z.number().nullable().meta({ description: 'null: its ticks did not say; 0 for an index' }),
    gap: z.boolean().meta({ description: 'Ticks of it may be missing' }),
    time_basis: z.enum(['exchange', 'received']).meta({
      description:
        '`exchange`: by the time of the trade. `received`: by when a tick came, as one brought no time',
    }),
  })
  .meta({ id: 'StoredCandle' })
export type StoredCandle = z.infer<typeof storedCandle>

export const storedCandles = z
  .object({
    instrument_token: instrumentToken,
    exchange,
    tradingsymbol: z.string(),
    interval: candleInterval,
    from: z.string(),
    to: z.string(),
    candles: z
      .array(storedCandle)
      .meta({ description: 'Ascending, whole; none where nothing was traded or nobody wanted it' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'StoredCandles' })
export type StoredCandles = z.infer<typeof storedCandles>
