import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { call, startTestSimulator, USER } from './testing/harness.ts'
import { tempFile } from './testing/temp-file.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

async function usersFile(content: unknown) {
  return tempFile('users.json', JSON.stringify(content))
}

describe('the process', () => {
  it('prints one ready line, serves, and ends on SIGTERM', async () => {
    const child = spawn(process.execPath, [MAIN, '--port', '0', '--users-file', await usersFile([USER])])
    const [line] = await once(createInterface(child.stdout), 'line')
    const ready = JSON.parse(String(line))
    expect(ready).toMatchObject({ event: 'ready', port: expect.any(Number) })
    expect((await fetch(`${ready.url}/sim/state`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('configuration', () => {
  it('reads flags, lists and files', async () => {
    const users = await usersFile([USER])
    const argv = ['--seed', '9', '--users-file', users, '--instruments', 'a.csv,b.csv', '--replay', 't.csv']
    const more = [
      '--replay-speed',
      '20',
      '--start-at',
      '2026-11-23T10:00:00+05:30',
      '--no-delays',
      '--no-rate-limits',
      '--instruments-count',
      '100000',
      '--calendar',
      'real',
      '--thin-share',
      '0.1',
      '--rollover',
      'keep',
    ]
    expect(await readConfig([...argv, ...more], { KITE_SIMULATOR_PORT: '8101' })).toMatchObject({
      port: 8101,
      seed: 9,
      users: [USER],
      instrumentFiles: ['a.csv', 'b.csv'],
      replay: { paths: ['t.csv'], speed: 20, start: 'on_subscribe' },
      startAtMs: Date.parse('2026-11-23T04:30:00Z'),
      replyDelayMs: [0, 0],
      rateLimits: false,
      instrumentsCount: 100_000,
      calendar: 'real',
      thinShare: 0.1,
      rollover: 'keep',
    })
  })

  it('refuses what it does not understand', async () => {
    await expect(readConfig(['--prot', '1'], {})).rejects.toThrow(/prot/)
    await expect(readConfig(['--port', 'x'], {})).rejects.toThrow(/port/)
    await expect(readConfig(['--users-file', await usersFile([{ user_id: 'A' }])], {})).rejects.toThrow(
      /api_key/,
    )
  })
})

describe('the control API', () => {
  it('refuses bodies it does not understand with the reason', async () => {
    const simulator = await startTestSimulator()
    const post = (path: string, body: Record<string, unknown>) => call(simulator, 'POST', path, body)
    expect(await post('/sim/faults', { kind: 'nonsense' })).toMatchObject({ http: 400 })
    expect(await post('/sim/faults', { kind: 'mute', user_id: 'nobody' })).toMatchObject({ http: 404 })
    expect((await post('/sim/users', { user_id: 'x' })).message).toContain('api_key')
    expect((await post('/sim/clock', { speed: -1 })).message).toContain('speed')
    expect((await post('/sim/login', { user_id: 'nobody' })).http).toBe(404)
    expect((await post('/sim/frames', {})).http).toBe(400)
    expect((await call(simulator, 'PUT', '/sim/users/nobody', {})).http).toBe(404)
    const malformed = await fetch(`${simulator.url}/sim/clock`, { method: 'POST', body: '{' })
    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { message: 'the body is not JSON' },
    ])
    await simulator.stop()
  })

  it('lists and removes faults, moves the clock, hides secrets', async () => {
    const simulator = await startTestSimulator()
    const armed = await call(simulator, 'POST', '/sim/faults', { kind: 'mute' })
    const id = String(Object(armed.data).id)
    expect((await call(simulator, 'GET', '/sim/faults')).data).toMatchObject([
      { id, fault: { kind: 'mute' } },
    ])
    expect((await call(simulator, 'DELETE', `/sim/faults/${id}`)).http).toBe(200)
    expect((await call(simulator, 'DELETE', `/sim/faults/${id}`)).http).toBe(404)
    const clock = await call(simulator, 'POST', '/sim/clock', { offset_ms: 3_600_000, speed: 2 })
    expect(clock.data).toMatchObject({ speed: 2 })
    expect((await call(simulator, 'GET', '/sim/clock')).http).toBe(200)
    const token = await call(simulator, 'POST', '/sim/login', {
      user_id: USER.user_id,
      result: 'request_token',
    })
    expect(token.data).toEqual({ request_token: expect.stringMatching(/^[0-9a-f]{32}$/) })
    const state = await call(simulator, 'GET', '/sim/state')
    expect(JSON.stringify(state)).not.toContain(USER.api_secret)
    expect(JSON.stringify(state)).not.toContain(USER.access_token)
    await simulator.stop()
  })
})
