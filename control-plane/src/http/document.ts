// /openapi.json, written from the routes themselves, and the answers to paths and methods that no route has.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { NotFoundHandler } from 'hono'
import type { AppEnv } from '../dependencies.ts'
import { SECURITY_SCHEME } from './openapi.ts'
import { problemResponse } from './problem.ts'

const INFO = {
  title: 'Ticker Service',
  version: '0.1.0',
  description:
    'Tick streaming and orders for Kite Connect accounts. Every error is application/problem+json with a `code`.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

export function openApiDocument(app: OpenAPIHono<AppEnv>) {
  app.openAPIRegistry.registerComponent('securitySchemes', SECURITY_SCHEME, {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'key_<id>_<secret>',
    description: 'An API key; each route names the scope it needs.',
  })
  let document: ReturnType<typeof app.getOpenAPI31Document> | undefined
  return () => {
    document ??= withTags(app.getOpenAPI31Document({ openapi: '3.1.0', info: INFO }))
    return document
  }
}

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** Groups operations by resource: the segment after /v1, or `operations` and `kite` outside it. */
function withTags(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const [first = '', second = ''] = path.split('/').slice(1)
    const tag = first === 'v1' ? second : first === 'kite' ? 'kite' : 'operations'
    for (const operation of [item.get, item.post, item.put, item.patch, item.delete]) {
      if (operation) operation.tags = [tag]
    }
  }
  return document
}

/** 405 with Allow for a path that other methods serve, else 404. */
export function notFoundHandler(app: OpenAPIHono<AppEnv>): NotFoundHandler<AppEnv> {
  const paths = new Map<string, { pattern: RegExp; methods: string[] }>()
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue
    const { path, method } = definition.route
    const known = paths.get(path) ?? { pattern: patternOf(path), methods: [] }
    known.methods.push(method.toUpperCase())
    paths.set(path, known)
  }
  return (c) => {
    const methods = [...paths.values()].find(({ pattern }) => pattern.test(c.req.path))?.methods
    if (!methods) return problemResponse({ code: 'not_found' }, c.var.requestId)
    const response = problemResponse({ code: 'method_not_allowed' }, c.var.requestId)
    response.headers.set('Allow', methods.join(', '))
    return response
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`)
}
