// Tables, plots and costs out of the points of `growth`.
import { linearFit, rounded } from './measure.ts'
import { markdownTable, type Report } from './report.ts'
import { plotSvg } from './svg-plot.ts'

export interface Size {
  instruments: number
  accounts: number
  clients: number
}
export interface Point extends Size {
  receivedPerS: number
  /** To the clients, without the one whose latency is shown. */
  deliveredPerS: number
  /** CPU of a core. */
  cores: number
  rssMb: number
  /** Received from the broker to a subscriber of Redis. */
  redisP99Ms: number
  /** Received from the broker to a stream client that takes every tick. */
  clientP99Ms: number
}
export interface Curve {
  along: keyof Size
  points: readonly Point[]
}

const HEADS: Record<keyof Size, string> = {
  instruments: 'Against instruments, one full tick/s each, an account per 9,000',
  accounts: 'Against accounts, 9,000 instruments spread over them',
  clients:
    'Against stream clients, binary, `latest` at 4 Hz, 200 instruments each; 45,000 instruments at one full tick/s each beside',
}

interface Column {
  head: string
  cell(point: Point): string
  /** The curve that has it. */
  only?: keyof Size
}
const COLUMNS: readonly Column[] = [
  { head: 'accounts', cell: (point) => rounded(point.accounts), only: 'instruments' },
  { head: 'received/s', cell: (point) => rounded(point.receivedPerS) },
  { head: 'delivered/s', cell: (point) => rounded(point.deliveredPerS), only: 'clients' },
  { head: 'CPU of a core', cell: (point) => `${(point.cores * 100).toFixed(1)} %` },
  { head: 'RSS', cell: (point) => `${point.rssMb.toFixed(0)} MB` },
  { head: 'receive → Redis, p99', cell: (point) => `${point.redisP99Ms.toFixed(0)} ms` },
  { head: 'receive → client, p99', cell: (point) => `${point.clientP99Ms.toFixed(0)} ms` },
]

export function growthReport(curves: readonly Curve[]): Report {
  return {
    markdown: curves.map(section).join('\n\n'),
    files: Object.fromEntries(curves.map((curve) => [fileOf(curve), plotOf(curve)])),
  }
}

const fileOf = ({ along }: Curve) => `growth-${along}.svg`

function section(curve: Curve): string {
  const { along, points } = curve
  const columns: Column[] = [
    { head: along, cell: (point) => rounded(point[along]) },
    ...COLUMNS.filter(({ only }) => only === undefined || only === along),
  ]
  const table = markdownTable([
    columns.map(({ head }) => head),
    ...points.map((point) => columns.map(({ cell }) => cell(point))),
  ])
  return `**${HEADS[along]}.** ${costOf(curve)}\n\n![${HEADS[along]}](${fileOf(curve)})\n\n${table}`
}

/** What one more costs: the slope of the line through the points. */
function costOf({ along, points }: Curve): string {
  const cores = linearFit(points.map((point) => [point[along], point.cores]))
  const rss = linearFit(points.map((point) => [point[along], point.rssMb]))
  const cost = (unit: string, by: number, digits: number) =>
    `${unit} ${(cores.slope * by * 100).toFixed(digits)} % of a core and ${(rss.slope * by).toFixed(1)} MB`
  if (along === 'instruments') return `${cost('1,000 more cost', 1_000, 2)} (least squares).`
  if (along === 'accounts') return `${cost('One more costs', 1, 2)} (least squares).`
  const cpuUs = (cores.slope * 1e6).toFixed(0)
  return `One more costs ${cpuUs} µs of CPU a second and ${(rss.slope * 1e3).toFixed(0)} kB (least squares).`
}

function plotOf({ along, points }: Curve): string {
  const line = (name: string, of: (point: Point) => number) => ({
    name,
    points: points.map((point) => [point[along], of(point)] as const),
  })
  return plotSvg(HEADS[along].replaceAll('`', ''), along, [
    { title: 'CPU, % of a core', lines: [line('CPU', (point) => point.cores * 100)] },
    { title: 'RSS, MB', lines: [line('RSS', (point) => point.rssMb)] },
    {
      title: 'Latency from receipt, p99, ms',
      lines: [
        line('to a subscriber of Redis', (point) => point.redisP99Ms),
        line('to a stream client', (point) => point.clientP99Ms),
      ],
    },
  ])
}
