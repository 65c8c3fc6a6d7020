// Plain HTTP on the stream port: each handler answers what is its own and returns true, or leaves it to the next.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { sendProblem } from './problem.ts'

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean

/** A path that nobody serves gets 404. */
export function routeRequests(handlers: readonly RequestHandler[]): RequestListener {
  return (request, response) => {
    if (handlers.some((handle) => handle(request, response))) return
    sendProblem(response, { code: 'not_found' })
  }
}

export function pathOf(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0] ?? ''
}

export function queryOf(url: string | undefined): URLSearchParams {
  const [, ...rest] = (url ?? '').split('?')
  return new URLSearchParams(rest.join('?'))
}
