// A tick as JSON, wherever it is shown. Fields of larger modes than its packet are absent.
import { z } from 'zod'
import { mode } from './subscriptions.ts'

const whenKnown = z.number().nullable().optional()
const inQuote = z.number().optional()

/** Without its depth, and without where and when it was received. */
export const tickFields = {
  instrument_token: z.int().min(1),
  mode: mode.describe('What the packet holds; fields of larger modes are absent'),
  tradable: z.boolean().describe('false: an index'),
  last_price: z.number().describe('Rupees, as all prices'),
  last_traded_quantity: inQuote,
  average_traded_price: inQuote,
  volume_traded: inQuote,
  total_buy_quantity: inQuote,
  total_sell_quantity: inQuote,
  ohlc: z
    .strictObject({ open: z.number(), high: z.number(), low: z.number(), close: z.number() })
    .optional()
    .describe('Of the day; close is the previous one'),
  change_percent: whenKnown.describe('Against the previous close'),
  change_absolute: whenKnown,
  last_trade_time_s: whenKnown.describe('Epoch seconds'),
  exchange_timestamp_s: whenKnown.describe('Epoch seconds'),
  oi: inQuote,
  oi_day_high: inQuote,
  oi_day_low: inQuote,
}
