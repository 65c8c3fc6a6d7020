import { expect, it } from 'vitest'
import { ClientSet } from './client-set.ts'

it('counts the clients of each key, each of them once', () => {
  const clients = new ClientSet<{ keyId: string }>()
  const [first, second, other] = [{ keyId: 'a' }, { keyId: 'a' }, { keyId: 'b' }]
  for (const client of [first, second, other, first]) clients.add(client)
  expect(['a', 'b', 'c'].map((key) => clients.countOf(key))).toEqual([2, 1, 0])
  expect([clients.delete(first), clients.delete(first)]).toEqual([true, false])
  expect([clients.countOf('a'), clients.size]).toEqual([1, 2])
  clients.delete(second)
  expect(clients.countOf('a')).toBe(0)
})
