import { useCallback } from 'react'
import type { Api } from '../api/client.ts'
import type { Account, Page } from '../api/types.ts'
import { type Polled, usePoll } from './use-poll.ts'

export function useAccounts(api: Api, everyMs: number): Polled<Page<Account>> {
  return usePoll(
    useCallback(() => api.get<Page<Account>>('/v1/accounts?limit=100'), [api]),
    everyMs,
  )
}
