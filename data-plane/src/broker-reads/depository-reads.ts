// What the depository has of an account: auctions of what is held, and the request to have a sale authorised. That request
// changes nothing at the broker until a person grants it, so one whose answer is lost is simply asked for again.
import type {
  AccountAnswer,
  AccountRead,
  AccountReadRefused,
  Auctions,
  AuthorisationRequest,
  HoldingToAuthorise,
} from '@ticker/shared/domain'
import { getAuctions, type KiteHttp, type Rows, requestAuthorisation } from '@ticker/shared/kite-http'
import type { AccountReads } from './account-reads.ts'

type Answer<T> = { answer: T } | AccountReadRefused

export interface DepositoryReadsDeps {
  kite: KiteHttp
  reads: AccountReads
  answered(accountId: string): AccountAnswer
  omittedOf(read: string, rows: Rows<unknown>): number
}

export interface DepositoryReads {
  auctions(account: AccountRead): Promise<Answer<Auctions>>
  authorisation(
    account: AccountRead,
    holdings: readonly HoldingToAuthorise[] | undefined,
  ): Promise<Answer<AuthorisationRequest>>
}

export function createDepositoryReads(deps: DepositoryReadsDeps): DepositoryReads {
  const { kite, reads, answered, omittedOf } = deps
  return {
    async auctions(account) {
      const outcome = await reads.read(account, 'auctions', (session) => getAuctions(kite, session))
      if (!outcome.ok) return outcome.refused
      const omitted = omittedOf('auctions', outcome.data)
      return { answer: { ...answered(account.account_id), auctions: outcome.data.rows, omitted } }
    },
    async authorisation(account, holdings) {
      const outcome = await reads.read(account, 'authorisation', (session) =>
        requestAuthorisation(kite, session, holdings),
      )
      if (!outcome.ok) return outcome.refused
      return { answer: { ...answered(account.account_id), ...outcome.data } }
    },
  }
}
