import { useState } from 'react'
import type { Problem } from '../api/types.ts'
import { asProblem } from './use-poll.ts'

/** What a click does: `reload` when it is done; when it is not, the problem, until an action succeeds. */
export function useAction(reload: () => void) {
  const [problem, setProblem] = useState<Problem>()
  async function act(action: () => Promise<unknown>) {
    try {
      await action()
      setProblem(undefined)
      reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }
  return { act, problem }
}
