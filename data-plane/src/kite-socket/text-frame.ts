// The broker's text frames (KITE.md 1.3). Anything else is told apart, never thrown.
import { storable } from '@ticker/shared/kite-http'
import { z } from 'zod'

const frame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('order'), data: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal('error'), data: z.unknown() }),
  z.object({ type: z.literal('message'), data: z.unknown() }),
])

export type TextFrame =
  | { kind: 'order'; order: Record<string, unknown> }
  | { kind: 'error'; text: string }
  | { kind: 'message'; text: string }
  | { kind: 'unreadable' }

const TEXT_MAX_LENGTH = 500

export function parseTextFrame(text: string): TextFrame {
  let value: unknown
  try {
    value = storable(JSON.parse(text))
  } catch {
    return { kind: 'unreadable' }
  }
  const parsed = frame.safeParse(value)
  if (!parsed.success) return { kind: 'unreadable' }
  if (parsed.data.type === 'order') return { kind: 'order', order: parsed.data.data }
  return { kind: parsed.data.type, text: shortText(parsed.data.data) }
}

function shortText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.slice(0, TEXT_MAX_LENGTH)
}
