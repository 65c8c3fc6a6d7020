import { expect, it } from 'vitest'
import { markdownTable, withSection } from './report.ts'

const text = 'before\n<!-- a -->\nold\n<!-- /a -->\nafter\n<!-- b -->\nkept\n<!-- /b -->\n'

it('puts a body between the markers of its section and leaves everything else', () => {
  expect(withSection(text, 'a', 'new\n')).toBe(text.replace('\nold\n', '\n\nnew\n\n'))
  expect(withSection(withSection(text, 'a', 'new'), 'a', 'old')).toBe(text.replace('\nold\n', '\n\nold\n\n'))
})

it('refuses a section that is not there', () => {
  expect(() => withSection(text, 'c', 'new')).toThrow('no section <!-- c --> … <!-- /c -->')
})

it('writes rows as a table under the first', () => {
  expect(
    markdownTable([
      ['', 'CPU'],
      ['1', '2 %'],
    ]),
  ).toBe('|  | CPU |\n|---|---|\n| 1 | 2 % |')
})
