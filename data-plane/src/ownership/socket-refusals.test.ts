import { beforeEach, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createSocketRefusals } from './socket-refusals.ts'

let states: string[]
let marked: [string, boolean][]
let moves: number
beforeEach(() => {
  marked = []
  moves = 0
})

const refusals = () =>
  createSocketRefusals({
    log: silentLog,
    async mark(accountId, _version, refused) {
      marked.push([accountId, refused])
      return true
    },
    sockets: () => [{ account_id: 'desk1', connections: states.map((state) => ({ state })) }],
    onMoved() {
      moves += 1
    },
  })

it('an account is refused when none of its sockets is open, not when one of several is', async () => {
  states = ['open', 'backoff']
  await refusals().refused('desk1', 1)
  expect([marked, moves]).toEqual([[], 0])
  states = ['backoff', 'backoff']
  await refusals().refused('desk1', 1)
  expect([marked, moves]).toEqual([[['desk1', true]], 1])
})

it('is taken back when one opens, of those alone that were refused', () => {
  states = ['open']
  refusals().look([ownedAccount('desk1'), ownedAccount('desk2', { socketRefused: true })])
  expect(marked).toEqual([])
  refusals().look([ownedAccount('desk1', { socketRefused: true })])
  expect(marked).toEqual([['desk1', false]])
})
