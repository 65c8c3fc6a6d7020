// The product of a position is changed: intraday becomes carried, or the other way round (KITE.md 5.5).
import { z } from 'zod'
import { expiresInS, writeFields } from './account-writes.ts'
import { accountId } from './accounts.ts'
import { exchange } from './instruments.ts'
import { storedText } from './text.ts'

const product = z.enum(['CNC', 'NRML', 'MIS', 'MTF'])

export const convertPosition = z
  .strictObject({
    account_id: accountId,
    exchange,
    tradingsymbol: storedText(100, 1),
    transaction_type: z.enum(['BUY', 'SELL']).meta({ description: 'BUY: of a long position' }),
    position_type: z.enum(['day', 'overnight']).default('day'),
    quantity: z.int().min(1).max(100_000_000),
    old_product: product,
    new_product: product,
    expires_in_s: expiresInS,
  })
  .superRefine(({ exchange: at, transaction_type, old_product, new_product }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (old_product === new_product) refuse('new_product', 'not the same as old_product')
    const isShare = at === 'NSE' || at === 'BSE'
    for (const [path, of] of Object.entries({ old_product, new_product }))
      if (of !== 'MIS' && isShare === (of === 'NRML')) refuse(path, `${of} is not a product of ${at}`)
    if (new_product === 'CNC' && transaction_type === 'SELL')
      refuse('new_product', 'a short position cannot be delivered')
  })
  .meta({ id: 'ConvertPosition' })
export type ConvertPosition = z.infer<typeof convertPosition>

export const conversion = z
  .object({
    id: z.string().meta({ example: 'cnv_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    request: convertPosition,
    ...writeFields,
  })
  .meta({ id: 'Conversion' })
export type Conversion = z.infer<typeof conversion>
