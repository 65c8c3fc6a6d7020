import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '../api/client.ts'
import type { Problem } from '../api/types.ts'

export interface Polled<T> {
  value: T | undefined
  problem: Problem | undefined
  reload(): void
}

/** Reads now and every everyMs; keeps the last good value while a later read fails. */
export function usePoll<T>(read: () => Promise<T>, everyMs: number): Polled<T> {
  const [value, setValue] = useState<T>()
  const [problem, setProblem] = useState<Problem>()
  const [turn, setTurn] = useState(0)
  const reload = useCallback(() => setTurn((count) => count + 1), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is what asks for a read
  useEffect(() => {
    let over = false
    let timer: number | undefined
    const pass = async () => {
      try {
        const next = await read()
        if (over) return
        setValue(() => next)
        setProblem(undefined)
      } catch (error) {
        if (!over) setProblem(asProblem(error))
      }
      if (!over) timer = window.setTimeout(pass, everyMs)
    }
    void pass()
    return () => {
      over = true
      window.clearTimeout(timer)
    }
  }, [read, everyMs, turn])
  return { value, problem, reload }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem
  return { status: 0, code: 'console_error', title: error instanceof Error ? error.message : String(error) }
}
