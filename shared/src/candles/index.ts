export { type Bar, firstFrom, foldBars, TIME_BASES, type TimeBasis } from './bar.ts'
export { type CandleDay, type CandleDayOf, candleDays, phaseAt, type Window, windowAt } from './candle-day.ts'
