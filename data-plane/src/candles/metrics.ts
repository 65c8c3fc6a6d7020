import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type CandleMetrics = ReturnType<typeof createCandleMetrics>

export function createCandleMetrics(registry: Registry) {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  return {
    instruments: gauge(
      'ticker_candle_instruments',
      'Instruments that candles are made of, each owner counted',
    ),
    bars: gauge('ticker_candle_bars', 'Bars of a minute and of a second in memory'),
    refused: counter(
      'ticker_candle_instruments_refused_total',
      'Instruments that a client could not have candles of, by the bound',
      ['reason'],
    ),
    ticks: counter(
      'ticker_candle_ticks_total',
      'Ticks of instruments that candles are made of, by what became of them',
      ['fate'],
    ),
    sent: counter('ticker_candle_messages_total', 'Messages of candles sent to stream clients', ['kind']),
    skipped: counter(
      'ticker_candle_clients_conflated_total',
      'Times a client had too much to read already and is sent its day anew',
    ),
    gaps: counter('ticker_candle_gaps_total', 'Gaps in the ticks of an instrument that candles are made of', [
      'reason',
    ]),
    backfills: counter('ticker_candle_backfills_total', 'Gaps that history was asked for', ['outcome']),
    stored: counter('ticker_candle_rows_stored_total', 'Candles of a minute written to Postgres'),
    unstored: counter(
      'ticker_candle_rows_dropped_total',
      'Candles of a minute that were not written: too many waited',
    ),
    gapsUnstored: counter(
      'ticker_candle_gap_rows_dropped_total',
      'Gaps that were not written, or not that they are filled: too many waited',
    ),
    passMs: new Histogram({
      name: 'ticker_candle_pass_ms',
      help: 'Taking up the new ticks, and sending the candles that are due',
      buckets: [0.1, 0.5, 1, 2.5, 5, 10, 25, 50, 100],
      registers,
    }),
  }
}
