import { expect, test, vi } from 'vitest'
import worker from './worker.ts'

const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
const AUTH_FAILURES = { limit: async () => ({ success: true }) }

test('500 internal for a wrong configuration; the log names the variable, the caller learns nothing', async () => {
  const lines: string[] = []
  const spy = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
  const env = { AUTH_FAILURES, REALM: 'sim', DATABASE_URL: 'mysql://user:hush@db/x' }
  const response = await worker.fetch(new Request('http://ticker.test/healthz'), env, context)
  spy.mockRestore()
  expect(response.status).toBe(500)
  const body = await response.text()
  expect(JSON.parse(body)).toMatchObject({ code: 'internal' })
  expect(body).not.toContain('DATABASE_URL')
  expect(lines.join('\n')).toContain('DATABASE_URL must begin with postgres://')
  expect(lines.join('\n')).not.toContain('hush')
})
