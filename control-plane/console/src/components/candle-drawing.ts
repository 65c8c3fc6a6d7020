// The chart itself, by lightweight-charts: candles, and their volume below. Colours are the console's, light and dark.
import {
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import type { Point } from './chart-points.ts'

export interface CandleDrawing {
  show(points: readonly Point[], isIntraday: boolean): void
  remove(): void
}

const BAR_PX_MIN = 6
const BAR_PX_MAX = 24
const VOLUME_SHARE = 0.2
const PRICE_DIGITS = { minimumFractionDigits: 2, maximumFractionDigits: 4 }

/** `onPoint`: the time that the pointer is at. */
export function drawCandles(box: HTMLElement, onPoint: (at: number | undefined) => void): CandleDrawing {
  const chart = createChart(box, {
    autoSize: true,
    timeScale: { rightOffset: 2, minBarSpacing: 0.5 },
    localization: {
      locale: 'en-IN',
      priceFormatter: (price: number) => price.toLocaleString('en-IN', PRICE_DIGITS),
    },
  })
  const prices = chart.addSeries(CandlestickSeries, { priceFormat: { type: 'price', minMove: 0.01 } })
  const volumes = chart.addSeries(HistogramSeries, {
    ...{ priceFormat: { type: 'volume' }, priceScaleId: 'volume', lastValueVisible: false },
    priceLineVisible: false,
  })
  prices.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: VOLUME_SHARE + 0.04 } })
  volumes.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } })
  let points: readonly Point[] = []
  let colours = coloursOf(box)

  function paint() {
    colours = coloursOf(box)
    const { up, down, text, line } = colours
    chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: 'transparent' }, textColor: text, fontSize: 11 },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      timeScale: { borderColor: line },
      rightPriceScale: { borderColor: line },
    })
    prices.applyOptions({
      ...{ upColor: up, borderUpColor: up, wickUpColor: up },
      ...{ downColor: down, borderDownColor: down, wickDownColor: down },
    })
    put()
  }

  function put() {
    const { up, down, hollow, text } = colours
    prices.setData(
      points.map(({ at, candle }) => {
        const time = chartTime(at)
        if (!candle) return { time }
        const { open, high, low, close, gap } = candle
        const marked = gap ? { color: hollow, borderColor: text, wickColor: text } : {}
        return { time, open, high, low, close, ...marked }
      }),
    )
    volumes.setData(
      points.map(({ at, candle }) => {
        const time = chartTime(at)
        // Of an index there is none.
        if (!candle?.volume) return { time }
        return {
          time,
          value: candle.volume,
          color: candle.gap ? hollow : faint(candle.close < candle.open ? down : up),
        }
      }),
    )
  }

  const follow = ({ time }: { time?: Time }) => onPoint(typeof time === 'number' ? time : undefined)
  chart.subscribeCrosshairMove(follow)
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', paint)
  paint()

  return {
    show(next, isIntraday) {
      // A range that came in is laid out anew; one more live candle moves nothing.
      const isLoad = Math.abs(next.length - points.length) > 1
      points = next
      put()
      if (!isLoad) return
      const barSpacing = Math.min(BAR_PX_MAX, Math.max(BAR_PX_MIN, box.clientWidth / (next.length + 12)))
      chart.applyOptions({ timeScale: { timeVisible: isIntraday, secondsVisible: false, barSpacing } })
    },
    remove() {
      dark.removeEventListener('change', paint)
      chart.remove()
    },
  }
}

/** The library's name for a number of seconds. */
const chartTime = (at: number) => at as UTCTimestamp

/** The chart reads no CSS variables. */
function coloursOf(box: HTMLElement) {
  const probe = box.appendChild(document.createElement('span'))
  const read = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colours = {
    ...{ up: read('good'), down: read('bad'), text: read('muted'), line: read('line') },
    hollow: 'rgba(128, 128, 128, 0.25)',
  }
  probe.remove()
  return colours
}

/** Of `rgb(…)`, as a browser computes a colour. */
const faint = (colour: string) => colour.replace('rgb(', 'rgba(').replace(')', ', 0.35)')
