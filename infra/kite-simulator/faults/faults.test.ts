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

const SOCKET = { userId: 'A', id: 's7', ordinal: 2 }

it('strikes only the socket it names, by id or by number', () => {
  const faults = new Faults(() => 0)
  faults.arm(fault({ kind: 'mute', socket: 's7' }))
  faults.arm(fault({ kind: 'silence', user_id: 'A', socket: 2 }))
  expect([faults.on('mute', SOCKET)?.kind, faults.on('silence', SOCKET)?.kind]).toEqual(['mute', 'silence'])
  expect(faults.on('mute', { ...SOCKET, id: 's8' })).toBeNull()
  expect(faults.on('silence', { ...SOCKET, ordinal: 1 })).toBeNull()
  expect(faults.on('silence', { ...SOCKET, userId: 'B' })).toBeNull()
})

it('mutes named instruments and segments without muting the socket', () => {
  const faults = new Faults(() => 0)
  faults.arm(fault({ kind: 'mute', user_id: 'A', tokens: [257], segments: ['MCX'] }))
  expect(faults.on('mute', SOCKET)).toBeNull()
  expect(faults.mutesTick(SOCKET, 257, 'NSE')).toBe(true)
  expect(faults.mutesTick(SOCKET, 519, 'MCX')).toBe(true)
  expect(faults.mutesTick(SOCKET, 513, 'NSE')).toBe(false)
  expect(faults.mutesTick({ ...SOCKET, userId: 'B' }, 257, 'NSE')).toBe(false)
})

it('tells by its version that a fault began or ended, by time too', () => {
  let wall = 0
  const faults = new Faults(() => wall)
  const versions = [faults.version]
  faults.arm(fault({ kind: 'mute', for_ms: 10 }))
  versions.push(faults.version)
  wall = 10
  versions.push(faults.version)
  expect(new Set(versions).size).toBe(3)
})

it.each([
  [{ kind: 'mute', duration: 5 }, 'Unrecognized key'],
  [{ kind: 'drop_socket', socket: 1 }, 'user_id'],
  [{ kind: 'mute', segments: ['NYSE'] }, 'segments'],
  [{ kind: 'mute', for_ms: 1, duration_ms: 1 }, 'either'],
  [{ kind: 'bad_frame', how: 'garbage', tokens: [1] }, 'unknown_length'],
  [{ kind: 'upgrade_403', socket: 's1' }, 'Unrecognized key'],
])('refuses %j', (body, reason) => {
  expect(String(faultSchema.safeParse(body).error?.message)).toContain(reason)
})
