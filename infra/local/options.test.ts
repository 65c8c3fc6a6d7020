import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readOptions } from './options.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ticker-options-'))
  writeFileSync(join(folder, 'a.csv'), '')
  writeFileSync(join(folder, 'b.csv.gz'), '')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('files are relative to the caller’s folder; the bare -- that pnpm hands on is nothing', () => {
  const argv = ['--', '--instruments', 'a.csv,b.csv.gz', '--replay', 'a.csv', '--fresh']
  expect(readOptions(argv, folder)).toMatchObject({
    instruments: [join(folder, 'a.csv'), join(folder, 'b.csv.gz')],
    replay: join(folder, 'a.csv'),
    fresh: true,
    stateDir: join(folder, '.dev'),
  })
})

test.each([
  ['a dump', ['--instruments', 'a.csv,none.csv'], '--instruments: there is no file', 'none.csv'],
  ['a recording', ['--replay', '/nowhere/none.csv'], '--replay: there is no file', '/nowhere/none.csv'],
  ['a folder as a recording', ['--replay', '.'], '--replay: there is no file', ''],
])('%s that is not there is named', (_, argv, words, path) => {
  expect(() => readOptions(argv, folder)).toThrow(words)
  expect(() => readOptions(argv, folder)).toThrow(join(path.startsWith('/') ? '' : folder, path))
})
