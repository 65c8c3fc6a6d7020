// Between which the trigger of a cover order may be, which the broker alone knows. In two shapes: JavaScript and Python ask for many
// instruments of a side, Go and older clients for one.
import { TRIGGER_RANGES_MAX, triggerRanges } from '@ticker/shared/domain'
import { Hono } from 'hono'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import type { KiteEnv } from './env.ts'
import { badInput, success } from './envelope.ts'
import { parametersOf } from './parameters.ts'

export function triggerRangeRoutes() {
  return new Hono<KiteEnv>()
    .get('/instruments/trigger_range/:side', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(await rangesOf(call, accountId, c.req.param('side'), c.req.queries('i') ?? []))
    })
    .get('/instruments/:exchange/:tradingsymbol/trigger_range', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const { exchange, tradingsymbol } = c.req.param()
      const key = `${exchange}:${tradingsymbol}`
      const { transaction_type = 'BUY' } = await parametersOf(c.req)
      const range = (await rangesOf(call, accountId, transaction_type, [key]))[key]
      if (!range) throw badInput('Invalid `tradingsymbol`.')
      return success({ start: range.lower, end: range.upper, percent: range.percentage ?? 0 })
    })
}

const SIDES = ['buy', 'sell'] as const

async function rangesOf(call: Call, accountId: string, side: string, instruments: string[]) {
  const transaction_type = SIDES.find((name) => name === side.toLowerCase())
  if (!transaction_type) throw badInput('Invalid `transaction_type`.')
  if (instruments.length === 0) throw badInput('Missing or empty field `i`')
  if (instruments.length > TRIGGER_RANGES_MAX)
    throw badInput(`Maximum ${TRIGGER_RANGES_MAX} instruments are allowed.`)
  const reading = { read: 'trigger_ranges' as const, transaction_type, instruments }
  return settle(await askAccount(call, accountId, reading, triggerRanges)).ranges
}
