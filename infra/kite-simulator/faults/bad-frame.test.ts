import { decodeFrame, encodeFrame, encodePacket } from '@ticker/shared/kite-wire'
import { expect, it } from 'vitest'
import { spoilFrame } from './bad-frame.ts'
import { type FaultOf, faultSchema } from './fault-schema.ts'

const TOKENS = [408065, 738561, 256265, 341249]
const FRAME = encodeFrame(
  TOKENS.map((instrument_token) => encodePacket({ instrument_token, last_price: 100 }, 'full')),
)
const SERIALS = Array.from({ length: 200 }, (_, serial) => serial)

function badFrame(body: object): FaultOf<'bad_frame'> {
  const fault = faultSchema.parse({ kind: 'bad_frame', ...body })
  if (fault.kind !== 'bad_frame') expect.unreachable()
  return fault
}

it.each(['truncated', 'unknown_length', 'garbage'])(
  '%s: another frame each time, the same from a seed',
  (how) => {
    const spoil = (seed: number) =>
      SERIALS.map((serial) => spoilFrame(FRAME, badFrame({ how, seed }), serial))
    const spoilt = spoil(1)
    expect(spoil(1)).toEqual(spoilt)
    expect(spoil(2)).not.toEqual(spoilt)
    expect(new Set(spoilt.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBeGreaterThan(20)
    for (const bytes of spoilt) {
      expect(bytes).not.toEqual(FRAME)
      expect(bytes.length).toBeGreaterThan(1)
    }
  },
)

it('unknown_length spoils one packet and leaves the others readable', () => {
  for (const serial of SERIALS) {
    const ticks = decodeFrame(spoilFrame(FRAME, badFrame({ how: 'unknown_length' }), serial))
    expect(ticks).toHaveLength(TOKENS.length - 1)
  }
})

it('unknown_length spoils exactly the named instruments', () => {
  const fault = badFrame({ how: 'unknown_length', tokens: [738561, 256265] })
  const ticks = decodeFrame(spoilFrame(FRAME, fault, 0))
  expect(ticks.map((tick) => tick.instrument_token)).toEqual([408065, 341249])
})
