// Market data under the faults of RELIABILITY.md, on one system with two broker accounts of one owner.
import { afterAll, beforeAll } from 'vitest'
import { createAccount, logIn } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { createDesk, type Desk } from './desk.ts'
import { runSystem } from './running-system.ts'
import { brokerSocketFaultSuite } from './suites/broker-socket-faults.ts'
import { commandFaultSuite } from './suites/command-faults.ts'

let desk: Desk

beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  const [, second] = DEMO_USERS
  await createAccount(desk.api, 'second', second)
  await logIn(desk.api, 'second', second.user_id)
})
afterAll(() => desk?.stop())

const running = () => desk
brokerSocketFaultSuite(running)
commandFaultSuite(running)
