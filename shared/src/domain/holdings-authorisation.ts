// Letting the broker sell what is in the depository: asked for here, given by a person on the broker's own page.
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'
import { accountId } from './accounts.ts'

export const AUTHORISED_HOLDINGS_MAX = 100

export const holdingToAuthorise = z.strictObject({
  isin: z.string().regex(/^[A-Z0-9]{12}$/, 'is 12 capital letters and digits'),
  quantity: z.int().min(1),
})
export type HoldingToAuthorise = z.infer<typeof holdingToAuthorise>

export const holdingsToAuthorise = z.array(holdingToAuthorise).min(1).max(AUTHORISED_HOLDINGS_MAX)

export const authoriseHoldings = z
  .strictObject({
    account_id: accountId,
    holdings: holdingsToAuthorise
      .optional()
      .meta({ description: 'Absent: the page offers everything that is held' }),
  })
  .meta({ id: 'AuthoriseHoldings' })
export type AuthoriseHoldings = z.infer<typeof authoriseHoldings>

/** As the instance answers: a request that a person may now grant. */
export const authorisationRequest = z.object({
  ...accountAnswer,
  /** Becomes part of a URL. */
  request_id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
})
export type AuthorisationRequest = z.infer<typeof authorisationRequest>

export const holdingsAuthorisation = authorisationRequest
  .extend({
    url: z.string().meta({
      description: 'The broker’s page on which the account holder authorises the sale, in a browser',
    }),
  })
  .meta({ id: 'HoldingsAuthorisation' })
export type HoldingsAuthorisation = z.infer<typeof holdingsAuthorisation>
