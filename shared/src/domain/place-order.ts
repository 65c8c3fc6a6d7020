// What a place states, and what of it each variety takes (KITE.md 5.1). Refused here is what the broker would refuse.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { exchange } from './instruments.ts'
import { strategy } from './risk-limits.ts'
import { storedText } from './text.ts'

/** Rupees. */
export const price = z
  .number()
  .positive()
  .max(10_000_000)
  .refine((value) => Math.abs(Math.round(value * 10_000) / 10_000 - value) < 1e-9, 'at most 4 decimals')

export const VARIETIES = ['regular', 'amo', 'co', 'iceberg', 'auction'] as const
export type Variety = (typeof VARIETIES)[number]

export const ICEBERG_LEGS_MAX = 50

const variety = z
  .enum(VARIETIES, {
    error: ({ input }) =>
      input === 'bo' ? 'the broker takes no bracket orders any more' : `one of ${VARIETIES.join(', ')}`,
  })
  .default('regular')
  .meta({
    description:
      'amo: after market hours, for the next session. co: with a stop-loss leg at trigger_price. ' +
      'iceberg: shown leg by leg. auction: into an auction of the exchange',
  })

const orderType = z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M'])
type OrderType = z.infer<typeof orderType>
const validity = z.enum(['DAY', 'IOC', 'TTL'])
type Validity = z.infer<typeof validity>

const ORDER_TYPES: Record<Variety, readonly OrderType[]> = {
  regular: orderType.options,
  amo: orderType.options,
  co: ['MARKET', 'LIMIT'],
  iceberg: ['LIMIT'],
  auction: ['LIMIT'],
}
const VALIDITIES: Record<Variety, readonly Validity[]> = {
  regular: validity.options,
  amo: validity.options,
  co: ['DAY', 'IOC'],
  iceberg: validity.options,
  auction: ['DAY'],
}
export const NO_IOC_ON_MCX = 'the broker takes no IOC on MCX'

export const placeOrder = z
  .strictObject({
    account_id: accountId,
    variety,
    exchange,
    tradingsymbol: storedText(100, 1),
    transaction_type: z.enum(['BUY', 'SELL']),
    quantity: z.int().min(1).max(100_000_000),
    product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
    order_type: orderType,
    price: price.optional().meta({ description: 'Rupees; required for LIMIT and SL' }),
    trigger_price: price
      .optional()
      .meta({ description: 'Rupees; required for SL and SL-M, and of the stop-loss leg of a cover order' }),
    validity: validity.default('DAY'),
    validity_ttl: z.int().min(1).max(1440).optional().meta({ description: 'Minutes; required for TTL' }),
    disclosed_quantity: z.int().min(0).optional(),
    market_protection: z.number().min(-1).max(100).optional().meta({
      description:
        'Percent, or -1 for the automatic band (default for MARKET and SL-M, which the broker refuses without)',
    }),
    iceberg_legs: z
      .int()
      .min(2)
      .max(ICEBERG_LEGS_MAX)
      .optional()
      .meta({ description: 'Of an iceberg order' }),
    iceberg_quantity: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Of a leg: quantity / iceberg_legs, the last one the rest' }),
    auction_number: z
      .string()
      .regex(/^[A-Za-z0-9]{1,20}$/, 'letters and digits')
      .optional()
      .meta({ description: "Of an auction order: from the broker's list of auctions" }),
    autoslice: z.boolean().optional().meta({
      description: 'The broker cuts what is beyond the freeze quantity into at most 10 orders',
    }),
    tag: z
      .string()
      .max(20)
      .regex(/^[A-Za-z0-9]*$/, 'letters and digits')
      .optional(),
    strategy: strategy.optional(),
    reduce_only: z.boolean().optional().meta({
      description: 'Refused unless it only reduces a position; entry limits do not stop it',
    }),
    expires_in_s: z.int().min(1).max(300).default(30).meta({ description: 'Not sent by then: EXPIRED' }),
  })
  .superRefine((order, context) => {
    const refuse = (path: keyof typeof order, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    const need = (path: keyof typeof order, wanted: boolean, why: string) => {
      if (wanted !== (order[path] !== undefined))
        refuse(path, `${wanted ? 'required' : 'not allowed'} for ${why}`)
    }
    const { variety: of, order_type: type, quantity } = order
    const isStop = type === 'SL' || type === 'SL-M'
    const isMarket = type === 'MARKET' || type === 'SL-M'
    if (!ORDER_TYPES[of].includes(type))
      refuse('order_type', `${ORDER_TYPES[of].join(' or ')} for variety ${of}`)
    if (!VALIDITIES[of].includes(order.validity))
      refuse('validity', `${VALIDITIES[of].join(' or ')} for variety ${of}`)
    else if (order.validity === 'IOC' && order.exchange === 'MCX') refuse('validity', NO_IOC_ON_MCX)
    need('price', type === 'LIMIT' || type === 'SL', `order_type ${type}`)
    if (of === 'co') need('trigger_price', true, 'variety co')
    else need('trigger_price', isStop, `order_type ${type}`)
    need('validity_ttl', order.validity === 'TTL', `validity ${order.validity}`)
    for (const field of ['iceberg_legs', 'iceberg_quantity'] as const)
      need(field, of === 'iceberg', `variety ${of}`)
    need('auction_number', of === 'auction', `variety ${of}`)
    if (of !== 'regular' && of !== 'amo') {
      for (const field of ['disclosed_quantity', 'autoslice'] as const) need(field, false, `variety ${of}`)
    }
    if ((order.disclosed_quantity ?? 0) > quantity) refuse('disclosed_quantity', 'at most the quantity')
    const { iceberg_legs: legs, iceberg_quantity: ofLeg } = order
    if (legs !== undefined && ofLeg !== undefined && Math.ceil(quantity / ofLeg) !== legs)
      refuse('iceberg_quantity', `${legs} legs of ${ofLeg} are not ${quantity}`)
    if (order.market_protection === 0)
      refuse('market_protection', 'the broker refuses 0: use -1 or a percentage')
    if (!isMarket && order.market_protection !== undefined)
      refuse('market_protection', 'only for MARKET and SL-M')
  })
  .meta({ id: 'PlaceOrder' })
export type PlaceOrder = z.infer<typeof placeOrder>
