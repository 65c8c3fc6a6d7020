// Calls the control plane on this origin. Every failure is the API's own problem document.
import type { Problem } from './types.ts'

export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.title)
    this.problem = problem
  }
}

export interface Api {
  get<T>(path: string, headers?: Record<string, string>): Promise<T>
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>
}

export function createApi(key: string, onUnauthenticated: () => void): Api {
  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    }).catch(() => {
      throw new ApiError({ status: 0, code: 'unreachable', title: 'The control plane does not answer.' })
    })
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok) return answer as T
    if (response.status === 401) onUnauthenticated()
    throw new ApiError(asProblem(answer, response.status))
  }
  return {
    get: (path, headers) => call('GET', path, undefined, headers),
    send: (method, path, body, headers) => call(method, path, body, headers),
  }
}

function asProblem(answer: unknown, status: number): Problem {
  if (typeof answer === 'object' && answer !== null && 'code' in answer && 'title' in answer)
    return answer as Problem
  return {
    status,
    code: 'unreadable',
    title: `The control plane answered ${status} in a form that is not its own.`,
  }
}
