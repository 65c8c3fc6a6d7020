// A picture of candles, and in words the one that the pointer is at, else the last.
import { useEffect, useRef, useState } from 'react'
import { type CandleDrawing, drawCandles } from './candle-drawing.ts'
import type { Point } from './chart-points.ts'
import { number } from './format.ts'

export function CandleChart({ points, isIntraday }: { points: readonly Point[]; isIntraday: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  const drawing = useRef<CandleDrawing>(undefined)
  const [at, setAt] = useState<number>()
  useEffect(() => {
    if (!box.current) return
    const drawn = drawCandles(box.current, setAt)
    drawing.current = drawn
    return drawn.remove
  }, [])
  useEffect(() => drawing.current?.show(points, isIntraday), [points, isIntraday])

  const pointed = at === undefined ? undefined : points.find((point) => point.at === at)
  return (
    <>
      <Words point={pointed ?? points.at(-1)} isIntraday={isIntraday} />
      <div className="candles" ref={box} role="img" aria-label={labelOf(points)} />
    </>
  )
}

function Words({ point, isIntraday }: { point: Point | undefined; isIntraday: boolean }) {
  if (!point) return null
  const { at, candle } = point
  const time = new Date(at * 1_000).toLocaleString('en-IN', {
    ...{ timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' },
    ...(isIntraday ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : {}),
  })
  if (!candle) return <p className="candle-words muted">{time} IST · no candle</p>
  const { open, high, low, close, volume, oi, gap } = candle
  const values = { O: open, H: high, L: low, C: close, Volume: volume, OI: oi }
  return (
    <p className="candle-words">
      <span className="muted">{time} IST</span>
      {Object.entries(values).map(([name, value]) => (
        <span key={name}>
          <small>{name}</small>{' '}
          <b className={name === 'C' ? (close < open ? 'down' : 'up') : undefined}>{number(value)}</b>
        </span>
      ))}
      {gap && <span className="bad">ticks of it may be missing</span>}
    </p>
  )
}

function labelOf(points: readonly Point[]): string {
  const candles = points.flatMap(({ candle }) => candle ?? [])
  const [first, last] = [candles[0], candles.at(-1)]
  if (!first || !last) return 'no candles'
  const low = candles.reduce((least, candle) => Math.min(least, candle.low), first.low)
  const high = candles.reduce((most, candle) => Math.max(most, candle.high), first.high)
  return `${candles.length} candles from ${first.time} to ${last.time}, between ${number(low)} and ${number(high)}`
}
