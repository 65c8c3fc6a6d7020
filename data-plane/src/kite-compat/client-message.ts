// What an unmodified Kite client may send (KITE.md 1.2). Like the broker: whatever is not understood is ignored,
// never fatal; tokens must be JSON numbers.
import { MODES, type Mode } from '@ticker/shared/kite-wire'
import { z } from 'zod'

const tokens = z
  .array(z.unknown())
  .max(10_000)
  .transform((values) => values.filter(isToken))
export const kiteClientMessage = z.discriminatedUnion('a', [
  z.object({ a: z.literal('subscribe'), v: tokens }),
  z.object({ a: z.literal('unsubscribe'), v: tokens }),
  z.object({ a: z.literal('mode'), v: z.tuple([z.enum(MODES), tokens]) }),
])

export type KiteClientMessage =
  | { kind: 'subscribe'; tokens: number[] }
  | { kind: 'unsubscribe'; tokens: number[] }
  | { kind: 'mode'; mode: Mode; tokens: number[] }

export function parseKiteClientMessage(text: string): KiteClientMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = kiteClientMessage.safeParse(value)
  if (!parsed.success) return undefined
  const { data } = parsed
  return data.a === 'mode'
    ? { kind: 'mode', mode: data.v[0], tokens: data.v[1] }
    : { kind: data.a, tokens: data.v }
}

function isToken(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xffff_ffff
}
