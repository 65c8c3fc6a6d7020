// What a client states: a form or a query, in which the official ones spell "nothing" in several ways.
import type { HonoRequest } from 'hono'
import { badInput } from './envelope.ts'

const ABSENT = new Set(['', 'undefined', 'null', 'None'])

export type Parameters = Readonly<Record<string, string>>

/** Of query and form together; what is absent in any spelling is not there. */
export async function parametersOf(request: HonoRequest): Promise<Parameters> {
  const stated = new Map(Object.entries(request.query()))
  const type = request.header('content-type') ?? ''
  // A GET or DELETE may say it has a form, and have none.
  if (request.method !== 'GET' && request.method !== 'DELETE' && !type.includes('json'))
    for (const [name, value] of new URLSearchParams(await request.text())) stated.set(name, value)
  return Object.fromEntries([...stated].filter(([, value]) => !ABSENT.has(value)))
}

/** Whatever type is stated for it. */
export async function jsonOf(request: HonoRequest): Promise<unknown> {
  try {
    return JSON.parse(await request.text())
  } catch {
    throw badInput('Invalid JSON body.')
  }
}

export function numberOf(parameters: Parameters, name: string): number | undefined {
  const text = parameters[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isFinite(value)) throw badInput(`Invalid \`${name}\`.`)
  return value
}

/** 0 is how clients leave a price, or a quantity to disclose, out. */
export function positiveOf(parameters: Parameters, name: string): number | undefined {
  return numberOf(parameters, name) || undefined
}

export function flagOf(parameters: Parameters, name: string): boolean {
  return ['true', '1', 'yes'].includes((parameters[name] ?? '').toLowerCase())
}
