// The broker's page on which the account holder authorises a sale: asked for by a button, and then a link, because browsers open
// no page that was not clicked for.
import { useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Problem } from '../api/types.ts'
import { asProblem } from './use-poll.ts'

export function AuthoriseHoldings(of: { api: Api; accountId: string; failed(problem: Problem): void }) {
  const [url, setUrl] = useState<string>()

  async function ask() {
    try {
      const body = { account_id: of.accountId }
      setUrl((await of.api.send<{ url: string }>('POST', '/v1/holdings/authorise', body)).url)
    } catch (error) {
      of.failed(asProblem(error))
    }
  }

  if (url)
    return (
      <a href={url} target="_blank" rel="noreferrer">
        Authorise at the broker
      </a>
    )
  return (
    <button type="button" onClick={ask}>
      Authorise
    </button>
  )
}
