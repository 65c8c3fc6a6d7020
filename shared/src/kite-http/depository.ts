// What the depository has of an account: the request to have a sale authorised, and what is being auctioned of what is held.
import { z } from 'zod'
import { authorisationRequest, type HoldingToAuthorise } from '../domain/holdings-authorisation.ts'
import { type BrokerAuction, brokerAuction } from '../domain/portfolio.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { listed, type Rows, UNREADABLE } from './rows.ts'

const requested = z.object({ request_id: authorisationRequest.shape.request_id })

/** Changes nothing by itself: a person grants it on the broker's page, or nobody does. Of none: of all holdings. */
export async function requestAuthorisation(
  http: KiteHttp,
  credentials: Credentials,
  holdings: readonly HoldingToAuthorise[] = [],
): Promise<KiteOutcome<{ request_id: string }>> {
  const form = new URLSearchParams()
  for (const { isin, quantity } of holdings) {
    form.append('isin', isin)
    form.append('quantity', String(quantity))
  }
  const outcome = await request(http, '/portfolio/holdings/authorise', { method: 'POST', credentials, form })
  if (!outcome.ok) return outcome
  const said = requested.safeParse(outcome.data)
  return said.success ? { ok: true, data: said.data } : UNREADABLE
}

export async function getAuctions(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<Rows<BrokerAuction>>> {
  const path = '/portfolio/holdings/auctions'
  return listed(brokerAuction, await request(http, path, { method: 'GET', credentials }))
}
