// An instrument by exchange and symbol, with what is listed under what has been typed so far.
import { useEffect, useId, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Instrument, Page } from '../api/types.ts'

const OFFERED_MAX = 12
const TYPING_PAUSE_MS = 200

export function InstrumentInput({ api, name, initial }: { api: Api; name: string; initial: string }) {
  const list = useId()
  const [typed, setTyped] = useState('')
  const [offered, setOffered] = useState<string[]>([])
  useEffect(() => {
    if (typed === '') return
    let isWanted = true
    const timer = window.setTimeout(async () => {
      // What cannot be looked up is typed in full.
      const page = await api.get<Page<Instrument>>(searchOf(typed)).catch(() => undefined)
      if (isWanted)
        setOffered(page?.items.map(({ exchange, tradingsymbol }) => `${exchange}:${tradingsymbol}`) ?? [])
    }, TYPING_PAUSE_MS)
    return () => {
      isWanted = false
      window.clearTimeout(timer)
    }
  }, [api, typed])
  return (
    <label>
      Instrument{' '}
      <input
        {...{ name, list, required: true, maxLength: 120, defaultValue: initial, autoComplete: 'off' }}
        placeholder="NSE:INFY, NIFTY26…"
        onChange={(event) => setTyped(event.target.value.trim().toUpperCase())}
      />
      <datalist id={list}>
        {offered.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
    </label>
  )
}

/** `NFO:NIFTY26` on that exchange, `NIFTY26` on all of them. */
function searchOf(typed: string): string {
  const at = typed.indexOf(':')
  const query = new URLSearchParams({ limit: String(OFFERED_MAX) })
  if (at > 0) query.set('exchange', typed.slice(0, at))
  if (typed.length > at + 1) query.set('prefix', typed.slice(at + 1))
  return `/v1/instruments?${query}`
}
