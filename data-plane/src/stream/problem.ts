// Refusals over HTTP on the stream port: RFC 9457 with the codes and the shape of the control plane.
import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { ERROR_CODES, type ErrorCode } from '@ticker/shared/domain'

export interface FieldError {
  path: string
  message: string
}

export interface HttpProblem {
  code: ErrorCode
  detail?: string
  errors?: readonly FieldError[]
  headers?: OutgoingHttpHeaders
}

/** Answers, and returns the request id it gave. */
export function sendProblem(response: ServerResponse, problem: HttpProblem): string {
  const { code, detail, errors } = problem
  const { status, title } = ERROR_CODES[code]
  const request_id = randomUUID()
  response.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...problem.headers,
  })
  response.end(
    JSON.stringify({ type: `urn:ticker:error:${code}`, title, status, detail, code, request_id, errors }),
  )
  return request_id
}
