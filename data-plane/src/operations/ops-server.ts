// The private port: alive, ready with reasons, metrics, and the kill switch, which alone changes anything.
import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'
import type { OpsKill } from '../kill-switch/ops-kill.ts'
import type { Readiness } from './readiness.ts'

export function createOpsServer(deps: { readiness: Readiness; registry: Registry; kill: OpsKill }): Server {
  return createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' })
      response.end(body)
    }
    const json = (status: number, body: unknown) => answer(status, 'application/json', JSON.stringify(body))
    const path = (request.url ?? '').split('?')[0]
    if (path === '/ops/kill' && request.method === 'POST') {
      deps.kill.pull(request).then(
        ({ status, body }) => json(status, body),
        () => json(500, { code: 'internal' }),
      )
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return json(405, { code: 'method_not_allowed' })
    switch (path) {
      case '/healthz':
        return json(200, { status: 'alive' })
      case '/readyz': {
        const reasons = deps.readiness.reasons()
        return json(reasons.length === 0 ? 200 : 503, {
          status: reasons.length === 0 ? 'ready' : 'unfit',
          reasons,
        })
      }
      case '/metrics':
        deps.registry.metrics().then(
          (text) => answer(200, deps.registry.contentType, text),
          () => json(500, { code: 'internal' }),
        )
        return
      case '/ops/kill': {
        const { status, body } = deps.kill.status(request)
        return json(status, body)
      }
      default:
        return json(404, { code: 'not_found' })
    }
  })
}
