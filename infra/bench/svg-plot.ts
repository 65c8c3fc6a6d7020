// Line plots as one small SVG: panels beside each other over the same x axis, both axes from 0. Says its own colours for
// light and dark, needs no font and no script.

export interface Line {
  name: string
  points: readonly (readonly [x: number, y: number])[]
}
export interface Panel {
  title: string
  lines: readonly Line[]
}

const PANEL = { width: 300, height: 230 }
const PLOT = { left: 46, right: 16, top: 50, bottom: 44 }
const TICKS = 5
const STYLE = `
    svg { --back: #fff; --text: #1f2328; --quiet: #59636e; --grid: #d1d9e0; --line0: #0969da; --line1: #bc4c00 }
    @media (prefers-color-scheme: dark) {
      svg { --back: #0d1117; --text: #f0f6fc; --quiet: #9198a1; --grid: #3d444d; --line0: #4493f8; --line1: #db6d28 }
    }
    text { fill: var(--quiet); font-size: 11px } .title { fill: var(--text); font-size: 13px; font-weight: 600 }
    .back { fill: var(--back) } .grid { stroke: var(--grid) } polyline { fill: none; stroke-width: 2 }
    .line0 { stroke: var(--line0) } .line1 { stroke: var(--line1) }
    circle { stroke: none } circle.line0, tspan.line0 { fill: var(--line0); stroke: none }
    circle.line1, tspan.line1 { fill: var(--line1); stroke: none }`

/** At most two lines a panel. */
export function plotSvg(title: string, xLabel: string, panels: readonly Panel[]): string {
  const width = panels.length * PANEL.width
  const label = escapeXml(title)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL.height}" font-family="system-ui, sans-serif" role="img" aria-label="${label}">`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="back" width="${width}" height="${PANEL.height}"/>`,
    ...panels.map((panel, index) => drawn(panel, index * PANEL.width, xLabel)),
    '</svg>\n',
  ].join('\n')
}

function drawn({ title, lines }: Panel, left: number, xLabel: string): string {
  const points = lines.flatMap((line) => line.points)
  const xs = axisTicks(Math.max(...points.map(([x]) => x)))
  const ys = axisTicks(Math.max(...points.map(([, y]) => y)))
  const [x0, x1] = [PLOT.left, PANEL.width - PLOT.right]
  const [y0, y1] = [PANEL.height - PLOT.bottom, PLOT.top]
  const toX = (x: number) => place(x0 + ((x1 - x0) * x) / (xs.at(-1) ?? 1))
  const toY = (y: number) => place(y0 + ((y1 - y0) * y) / (ys.at(-1) ?? 1))
  const grid = ys.map(
    (y) =>
      `    <line class="grid" x1="${x0}" x2="${x1}" y1="${toY(y)}" y2="${toY(y)}"/><text x="${x0 - 6}" y="${toY(y) + 4}" text-anchor="end">${short(y)}</text>`,
  )
  const below = xs.map(
    (x) => `    <text x="${toX(x)}" y="${y0 + 16}" text-anchor="middle">${short(x)}</text>`,
  )
  const curves = lines.map((line, index) => {
    const path = line.points.map(([x, y]) => `${toX(x)},${toY(y)}`).join(' ')
    const dots = line.points.map(
      ([x, y]) => `<circle class="line${index}" cx="${toX(x)}" cy="${toY(y)}" r="3"/>`,
    )
    return `    <polyline class="line${index}" points="${path}"/>${dots.join('')}`
  })
  const names = lines.map(
    (line, index) => `<tspan class="line${index}" dx="${index * 12}">${escapeXml(line.name)}</tspan>`,
  )
  return [
    `  <g transform="translate(${left})">`,
    `    <text class="title" x="12" y="20">${escapeXml(title)}</text>`,
    ...grid,
    ...below,
    `    <text x="${(x0 + x1) / 2}" y="${y0 + 34}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    ...(lines.length < 2 ? [] : [`    <text x="12" y="36">${names.join('')}</text>`]),
    ...curves,
    '  </g>',
  ].join('\n')
}

/** From 0 in steps of 1, 2, 2.5 or 5 × 10^n to the first at or above `max`, which must not be negative. */
export function axisTicks(max: number): number[] {
  if (!(max > 0)) return [0, 1]
  const scale = 10 ** Math.floor(Math.log10(max / TICKS))
  const steps = [1, 2, 2.5, 5, 10].map((step) => step * scale)
  const step = steps.find((each) => each * TICKS >= max * (1 - Number.EPSILON)) ?? 10 * scale
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  )
}

const place = (value: number) => Math.round(value * 10) / 10
const short = (value: number) => (value >= 10_000 ? `${value / 1000}k` : `${value}`)
const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
