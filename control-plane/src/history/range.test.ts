import { describe, expect, test } from 'vitest'
import { rangeOf } from './range.ts'

const NOW = Date.parse('2026-11-25T10:00:00+05:30')
const range = (from: string, to?: string) => rangeOf({ from, to }, '1m', NOW)
const at = (time: string) => Date.parse(`${time}+05:30`)

describe('the range of a history', () => {
  test.each([
    ['days of India', '2026-11-23', '2026-11-24', '2026-11-23T00:00:00', '2026-11-24T23:59:59.999'],
    [
      'India’s clock',
      '2026-11-24 09:15:00',
      '2026-11-24T15:30',
      '2026-11-24T09:15:00',
      '2026-11-24T15:30:00',
    ],
    [
      'any offset',
      '2026-11-24T03:45:00Z',
      '2026-11-24T05:00:00+01:00',
      '2026-11-24T09:15:00',
      '2026-11-24T09:30:00',
    ],
    ['up to now', '2026-11-25', undefined, '2026-11-25T00:00:00', '2026-11-25T10:00:00'],
    ['today', '2026-11-25', '2026-11-25', '2026-11-25T00:00:00', '2026-11-25T23:59:59.999'],
  ])('%s', (_what, from, to, first, last) =>
    expect(range(from, to)).toMatchObject({ ok: true, value: { fromMs: at(first), toMs: at(last) } }),
  )

  test('lies on days of India, whatever the offset', () => {
    expect(range('2026-11-23T18:29:59Z', '2026-11-23T18:30:00Z')).toMatchObject({
      value: { fromDay: '2026-11-23', toDay: '2026-11-24' },
    })
  })

  test.each([
    ['no time', 'yesterday', undefined, 'invalid_request'],
    ['no day', '2026-02-31', undefined, 'invalid_request'],
    ['no hour', '2026-11-24T25:00', undefined, 'invalid_request'],
    ['another century', '1999-12-31', undefined, 'invalid_request'],
    ['backwards', '2026-11-24', '2026-11-23', 'invalid_request'],
    ['a later day', '2026-11-24', '2026-11-26', 'history_range_in_future'],
    ['a later minute', '2026-11-24', '2026-11-25T10:01:00+05:30', 'history_range_in_future'],
    ['all of it later', '2026-11-26', undefined, 'history_range_in_future'],
    ['ten years and a half of minutes', '2016-01-01', undefined, 'history_range_too_long'],
  ])('%s is refused', (_what, from, to, code) =>
    expect(range(from, to)).toMatchObject({ ok: false, refusal: { code } }),
  )

  test('one too long says from when on it would not be', () => {
    const refusal = range('2016-01-01')
    expect(!refusal.ok && refusal.refusal.detail).toContain('at most 3840: from 2016-05-22')
    expect(range('2016-05-22').ok).toBe(true)
    expect(rangeOf({ from: '2000-01-01' }, '1d', NOW).ok).toBe(true)
  })
})
