import { sendProblem } from '../problem.ts'
import { pathOf, type RequestHandler } from '../route-requests.ts'
import { asyncApiDocument } from './document.ts'

export const ASYNCAPI_PATH = '/asyncapi.json'

export const asyncApiText = () => `${JSON.stringify(asyncApiDocument(), null, 2)}\n`

/** GET /asyncapi.json, for anybody: it says nothing that docs/ does not. */
export function createAsyncApiHandler(): RequestHandler {
  const text = asyncApiText()
  return (request, response) => {
    if (pathOf(request.url) !== ASYNCAPI_PATH) return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendProblem(response, { code: 'method_not_allowed', headers: { Allow: 'GET, HEAD' } })
      return true
    }
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache',
      'Access-Control-Allow-Origin': '*',
    })
    response.end(text)
    return true
  }
}
