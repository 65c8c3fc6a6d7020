// GTTs and the conversion of a position for an unmodified Kite client: stored and sent at most once, as its orders.
import {
  type ConvertPosition,
  convertPosition,
  expiresInS,
  newId,
  placeGtt as placeBody,
  type WriteState,
} from '@ticker/shared/domain'
import { Hono } from 'hono'
import type { z } from 'zod'
import type { StoredWrite } from '../account-writes/store-write.ts'
import { conversions, convert } from '../conversions/index.ts'
import { brokerGtts } from '../gtts/read.ts'
import { deleteGtt, gttWrites, modifyGtt, placeGtt } from '../gtts/write.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, settle } from '../http/problem.ts'
import type { KiteEnv } from './env.ts'
import { badInput, KiteFailure, success, UNCERTAIN } from './envelope.ts'
import { numberOf, type Parameters, parametersOf } from './parameters.ts'

/** Of the 5 s within which everything is answered here; storing it takes its share. */
const WAIT_S = 4.5

export function gttRoutes() {
  const key = () => `kite:${newId('gtw')}`
  return new Hono<KiteEnv>()
    .get('/gtt/triggers', async (c) => {
      const { call, accountId } = c.var.kite('orders:read')
      return success((await brokerGtts(call, accountId)).map(withNumber))
    })
    .get('/gtt/triggers/:id', async (c) => {
      const { call, accountId } = c.var.kite('orders:read')
      const [found] = await brokerGtts(call, accountId, c.req.param('id'))
      if (!found) throw new KiteFailure(404, 'GeneralException', "Couldn't find that `trigger_id`.")
      return success(withNumber(found))
    })
    .post('/gtt/triggers', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const input = gttOf(await parametersOf(c.req), accountId)
      return success(await triggered(call, await placeGtt(call, key(), input)))
    })
    .put('/gtt/triggers/:id', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const input = gttOf(await parametersOf(c.req), accountId)
      return success(await triggered(call, await modifyGtt(call, key(), c.req.param('id'), input)))
    })
    .delete('/gtt/triggers/:id', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const { id } = c.req.param()
      const stored = await deleteGtt(call, key(), id, accountId, expiresInS.parse(undefined))
      return success(await triggered(call, stored))
    })
    .put('/portfolio/positions', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const input = conversionOf(await parametersOf(c.req), accountId)
      const stored = settle(await convert(call, `kite:${newId('cnv')}`, input))
      const write = settle(await conversions.get(call, stored.id))
      done(await conversions.wait(call, write, WAIT_S))
      return success(true)
    })
}

/** The id is text with us, for it is one with orders; the broker's clients know a number. */
const withNumber = (gtt: Record<string, unknown>) => ({ ...gtt, id: Number(gtt.id) })

async function triggered(call: Call, outcome: Outcome<StoredWrite>) {
  const stored = settle(outcome)
  const write = await gttWrites.wait(call, settle(await gttWrites.get(call, stored.id)), WAIT_S)
  done(write)
  return { trigger_id: Number(write.trigger_id) }
}

/** As the broker answers; what is not certain by now is UNKNOWN, and never sent again. */
function done({ state, reason }: { state: WriteState; reason: string | null }) {
  if (state === 'ACCEPTED') return
  if (state === 'QUEUED' || state === 'SENDING' || state === 'UNKNOWN') throw UNCERTAIN()
  throw new KiteFailure(400, 'OrderException', reason ?? `It is ${state}.`)
}

function gttOf(given: Parameters, accountId: string) {
  const condition = jsonOf(given, 'condition')
  const orders = jsonOf(given, 'orders')
  if (!isRecord(condition) || !Array.isArray(orders)) throw badInput('Invalid `condition` or `orders`.')
  const { exchange, tradingsymbol, trigger_values, last_price } = condition
  const legs = orders.filter(isRecord).map(({ transaction_type, quantity, product, price, order_type }) => {
    if (order_type !== undefined && order_type !== 'LIMIT')
      throw badInput('Invalid `order_type`: only LIMIT.')
    return { transaction_type, quantity, product, price }
  })
  return parse(placeBody, {
    ...{ account_id: accountId, type: given.type, exchange, tradingsymbol, trigger_values, last_price },
    orders: legs,
  })
}

function conversionOf(given: Parameters, accountId: string): ConvertPosition {
  const { exchange, tradingsymbol, transaction_type, position_type, old_product, new_product } = given
  return parse(convertPosition, {
    ...{ account_id: accountId, exchange, tradingsymbol, transaction_type, position_type },
    ...{ old_product, new_product, quantity: numberOf(given, 'quantity') },
  })
}

function jsonOf(given: Parameters, name: string): unknown {
  try {
    return JSON.parse(given[name] ?? '')
  } catch {
    throw badInput(`Invalid \`${name}\`.`)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse<Shape extends z.ZodType>(shape: Shape, input: unknown): z.output<Shape> {
  const parsed = shape.safeParse(input)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw badInput(`Invalid \`${first?.path.join('.') ?? ''}\`: ${first?.message ?? ''}.`)
}
