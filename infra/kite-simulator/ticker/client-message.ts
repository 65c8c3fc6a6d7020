// What a client says on the socket (KITE.md 1.2). Anything else, string tokens included, is ignored as the broker
// ignores it: the client sees heartbeats only.
import { MODES, type Mode } from '@ticker/shared/kite-wire'
import { z } from 'zod'

export type ClientMessage =
  | { action: 'subscribe' | 'unsubscribe'; tokens: number[] }
  | { action: 'mode'; mode: Mode; tokens: number[] }

const schema = z.union([
  z.object({ a: z.enum(['subscribe', 'unsubscribe']), v: z.array(z.unknown()) }),
  z.object({ a: z.literal('mode'), v: z.tuple([z.enum(MODES), z.array(z.unknown())]) }),
])

export function parseClientMessage(text: string): ClientMessage | null {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return null
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) return null
  const message = parsed.data
  if (message.a === 'mode') return { action: 'mode', mode: message.v[0], tokens: integers(message.v[1]) }
  return { action: message.a, tokens: integers(message.v) }
}

function integers(values: readonly unknown[]): number[] {
  return values.filter((value): value is number => typeof value === 'number' && Number.isInteger(value))
}
