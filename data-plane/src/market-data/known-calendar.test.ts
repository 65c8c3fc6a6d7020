import { CALENDAR_DATA, createMarketCalendar } from '@ticker/shared/market-calendar'
import { expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { createKnownCalendar } from './known-calendar.ts'

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}:00+05:30`)
const holiday = {
  ...{ date: '2026-11-25', exchange: 'NSE', name: 'Declared last night', source: 'NSE CMTR76001' },
  ...{ spans: [], confirmed: true },
}

it('a stored day holds at once when its version moves, before the release’s own; what cannot be read changes nothing', async () => {
  let answer: unknown = { known_until: null, days: [holiday] }
  let reads = 0
  const db = {
    query: async () => {
      reads += 1
      return { rows: [[answer]], rowCount: 1 }
    },
  }
  const known = createKnownCalendar({ db, log: silentLog })
  const calendar = createMarketCalendar(known.data)
  await known.look(0)
  expect([reads, calendar.phaseAt('NSE', at('2026-11-25 10:00')).phase]).toEqual([0, 'open'])
  await known.look(1)
  await known.look(1)
  expect(reads).toBe(1)
  expect(calendar.phaseAt('NSE', at('2026-11-25 10:00'))).toMatchObject({
    ...{ phase: 'closed', name: 'Declared last night', confirmed: true },
  })
  expect(calendar.phaseAt('BSE', at('2026-11-25 10:00')).phase).toBe('open')
  answer = { nonsense: true }
  await known.look(2)
  expect(calendar.phaseAt('NSE', at('2026-11-25 10:00')).phase).toBe('closed')
  // Tried again with the next view.
  answer = { known_until: '2027-12-31', days: [] }
  await known.look(2)
  expect(calendar.phaseAt('NSE', at('2026-11-25 10:00')).phase).toBe('open')
  expect(known.data().knownUntil).toBe('2027-12-31')
  answer = { known_until: '2026-01-01', days: [] }
  await known.look(3)
  expect(known.data().knownUntil).toBe(CALENDAR_DATA.knownUntil)
})
