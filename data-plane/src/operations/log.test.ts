import { expect, it } from 'vitest'
import { createLog } from './log.ts'

it('writes one JSON line an event with planted secrets redacted from fields, message and error', () => {
  const lines: string[] = []
  const log = createLog(
    { level: 'info', base: { service: 'data-plane' } },
    { write: (line) => void lines.push(line) },
  )
  const planted = 'PLANTEDsecret0123456789'
  log.info(
    { access_token: planted, url: `wss://x?access_token=${planted}`, orders: 2 },
    `to ws://x?api_key=${planted}`,
  )
  log.error({ error: new Error(`bad token ${planted}`) }, 'failed')
  expect(lines).toHaveLength(2)
  expect(lines.join('')).not.toContain(planted)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', service: 'data-plane', orders: 2 })
})
