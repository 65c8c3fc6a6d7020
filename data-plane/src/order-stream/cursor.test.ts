import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cursorText, parseCursor } from './cursor.ts'

const account = fc.stringMatching(/^[a-z0-9_-]{1,50}$/)

describe('a cursor of orders', () => {
  it('is read back as it was written, whatever the accounts', () => {
    const entries = fc.uniqueArray(fc.tuple(account, fc.nat(2 ** 31)), {
      minLength: 1,
      maxLength: 20,
      selector: ([id]) => id,
    })
    fc.assert(
      fc.property(entries, (each) => {
        expect(parseCursor(cursorText(new Map(each)), 20)).toEqual(new Map(each))
      }),
    )
  })

  it.each([
    '',
    'desk',
    'desk:',
    'desk:-1',
    'desk:1.5',
    'DESK:1',
    'a:1,a:2',
    'a:1,',
    'a:1:2',
    `a:${'9'.repeat(16)}`,
    'a:1,b:2,c:3',
  ])('is not %j', (text) => {
    expect(parseCursor(text, 2)).toBeUndefined()
  })
})
