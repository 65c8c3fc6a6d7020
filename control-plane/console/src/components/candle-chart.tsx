// Candles as a picture. Drawn in places, not in time: nights and holidays take no room.
import type { Candle } from '../api/types.ts'
import { number } from './format.ts'

const [WIDTH, HEIGHT, AXIS] = [960, 320, 64]

export function CandleChart({ candles }: { candles: readonly Candle[] }) {
  const low = Math.min(...candles.map((candle) => candle.low))
  const high = Math.max(...candles.map((candle) => candle.high))
  const step = (WIDTH - AXIS) / Math.max(1, candles.length)
  const yOf = (price: number) => 8 + (HEIGHT - 32) * (high > low ? (high - price) / (high - low) : 0.5)
  const [first, last] = [candles[0], candles.at(-1)]
  if (!first || !last) return null
  const label = `${candles.length} candles from ${first.time} to ${last.time}, between ${number(low)} and ${number(high)}`
  return (
    <svg className="candles" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {candles.map((candle, at) => {
        const x = (at + 0.5) * step
        const [top, bottom] = [
          yOf(Math.max(candle.open, candle.close)),
          yOf(Math.min(candle.open, candle.close)),
        ]
        return (
          <g key={candle.time} className={candle.close < candle.open ? 'down' : 'up'}>
            <title>
              {`${candle.time.slice(0, 16).replace('T', ' ')}: ${number(candle.open)}, ${number(candle.high)}, ${number(candle.low)}, ${number(candle.close)}; volume ${number(candle.volume)}, OI ${number(candle.oi)}`}
            </title>
            <line x1={x} x2={x} y1={yOf(candle.high)} y2={yOf(candle.low)} />
            <rect x={x - step * 0.35} width={step * 0.7} y={top} height={Math.max(1, bottom - top)} />
          </g>
        )
      })}
      {[high, (high + low) / 2, low].map((price, at) => (
        <text key={['high', 'middle', 'low'][at]} x={WIDTH - AXIS + 6} y={yOf(price) + 4}>
          {number(price)}
        </text>
      ))}
      <text x={0} y={HEIGHT - 6}>
        {first.time.slice(0, 16).replace('T', ' ')}
      </text>
      <text x={WIDTH - AXIS} y={HEIGHT - 6} textAnchor="end">
        {last.time.slice(0, 16).replace('T', ' ')}
      </text>
    </svg>
  )
}
