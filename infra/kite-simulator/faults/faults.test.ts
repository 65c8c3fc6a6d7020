import { expect, it } from 'vitest'
import { faultSchema } from './fault-schema.ts'
import { FAULTS_MAX, Faults } from './faults.ts'

const fault = (body: object) => faultSchema.parse(body)

it('is used up by its count', () => {
  const faults = new Faults(() => 0)
  faults.arm(fault({ kind: 'order_429', count: 2 }))
  const taken = [1, 2, 3].map(() => faults.take('order_429', 'A')?.kind ?? null)
  expect(taken).toEqual(['order_429', 'order_429', null])
})

it('ends by itself after its time', () => {
  let wall = 0
  const faults = new Faults(() => wall)
  faults.arm(fault({ kind: 'mute', duration_ms: 100 }))
  wall = 99
  expect(faults.active('mute', 'A')).toBe(true)
  wall = 100
  expect(faults.active('mute', 'A')).toBe(false)
})

it('strikes only its user, or everyone without one', () => {
  const faults = new Faults(() => 0)
  faults.arm(fault({ kind: 'silence', user_id: 'A' }))
  expect([faults.active('silence', 'A'), faults.active('silence', 'B')]).toEqual([true, false])
  faults.arm(fault({ kind: 'silence' }))
  expect(faults.active('silence', 'B')).toBe(true)
})

it('keeps a bounded number', () => {
  const faults = new Faults(() => 0)
  for (let index = 0; index < FAULTS_MAX; index++) expect(faults.arm(fault({ kind: 'mute' }))).not.toBeNull()
  expect(faults.arm(fault({ kind: 'mute' }))).toBeNull()
})
