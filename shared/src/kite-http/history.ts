// GET /instruments/historical: candles of one instrument (KITE.md 6). Two months of minutes are 1.5 MB of JSON: it is read
// piece by piece, so that whoever has ticks to carry meanwhile never stands still for long.
import { type StoredBar, storedBar } from '../domain/history.ts'
import { type KiteOutcome, readEnvelope } from './envelope.ts'
import { authorization, type Credentials, KITE_VERSION, type KiteHttp, networkReason } from './request.ts'

export interface HistoryRequest {
  instrument_token: number
  /** The broker's name of it: minute, 5minute, day … */
  interval: string
  /** IST days, both included. */
  fromDay: string
  toDay: string
  continuous: boolean
}

/** Candles by IST day, ascending; days without any are not there. */
export type HistoryDays = Map<string, StoredBar[]>

/** Two months of minutes of a market that is open 15 hours a day, twice. */
const CHARACTERS_MAX = 8 * 1024 * 1024
/** Read at once; then others have their turn. */
const PIECE_CHARACTERS = 16 * 1024

export async function getHistory(
  http: KiteHttp,
  credentials: Credentials,
  request: HistoryRequest,
  signal?: AbortSignal,
): Promise<KiteOutcome<HistoryDays>> {
  const query = new URLSearchParams({
    from: `${request.fromDay} 00:00:00`,
    to: `${request.toDay} 23:59:59`,
    oi: '1',
    ...(request.continuous ? { continuous: '1' } : {}),
  })
  const url = `${http.root}/instruments/historical/${request.instrument_token}/${request.interval}?${query}`
  const timeout = AbortSignal.timeout(http.timeoutMs)
  try {
    const response = await http.fetch(url, {
      headers: { 'X-Kite-Version': KITE_VERSION, Authorization: authorization(credentials) },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    const reader = candleReader()
    let characters = 0
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) {
      const text = decoder.decode(bytes, { stream: true })
      characters += text.length
      if (characters > CHARACTERS_MAX)
        return { ok: false, failure: { kind: 'unreadable', status: response.status } }
      if (reader.take(text)) await new Promise((resolve) => setTimeout(resolve, 0))
    }
    return reader.end(response.status)
  } catch (error) {
    if (timeout.aborted) return { ok: false, failure: { kind: 'timeout' } }
    if (error instanceof UnreadableCandle || error instanceof SyntaxError)
      return { ok: false, failure: { kind: 'unreadable', status: 200 } }
    return { ok: false, failure: { kind: 'network', message: networkReason(error) } }
  }
}

class UnreadableCandle extends Error {}

const LIST = '"candles":['

/** Takes rows out of the body as they come; what is left is a small envelope that says whether all of it was there. */
export function candleReader() {
  const days: HistoryDays = new Map()
  const row = /[\s,]*(\[[^[\]]*\])/y
  let envelope = ''
  let pending = ''
  let state: 'before' | 'in' | 'after' = 'before'

  /** Every row that is whole, and the end of the list when it is there. */
  function takeRows() {
    let taken = 0
    row.lastIndex = 0
    for (let found = row.exec(pending); found?.[1]; found = row.exec(pending)) {
      add(days, JSON.parse(found[1]))
      taken = row.lastIndex
    }
    pending = pending.slice(taken)
    if (!pending.trimStart().startsWith(']')) return
    state = 'after'
    envelope += pending.trimStart()
    pending = ''
  }

  return {
    /** True: it worked for a while. */
    take(text: string): boolean {
      pending += text
      const list = state === 'before' ? pending.indexOf(LIST) : -1
      if (list >= 0) {
        envelope = pending.slice(0, list + LIST.length)
        pending = pending.slice(list + LIST.length)
        state = 'in'
      }
      if (state !== 'in' || pending.length < PIECE_CHARACTERS) return false
      takeRows()
      return true
    },
    end(status: number): KiteOutcome<HistoryDays> {
      if (state === 'in') takeRows()
      const outcome = readEnvelope(status, envelope + pending)
      if (!outcome.ok) return outcome
      return state === 'after'
        ? { ok: true, data: days }
        : { ok: false, failure: { kind: 'unreadable', status } }
    },
  }
}

const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):\d\d\+0530$/

function add(days: HistoryDays, row: unknown): void {
  const [time, ...numbers] = Array.isArray(row) ? row : []
  const [, day, hours, minutes] = TIME.exec(typeof time === 'string' ? time : '') ?? []
  // Without open interest a row ends after the volume.
  const bar = storedBar.safeParse([
    Number(hours) * 60 + Number(minutes),
    ...numbers,
    ...(numbers.length === 5 ? [null] : []),
  ])
  if (day === undefined || !bar.success) throw new UnreadableCandle()
  const bars = days.get(day)
  const last = bars?.at(-1)
  if (last && last[0] >= bar.data[0]) throw new UnreadableCandle()
  if (bars) bars.push(bar.data)
  else days.set(day, [bar.data])
}
