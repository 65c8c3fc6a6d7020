// The paper broker: another simulator, with the prices of our own Kite-compatible socket, where the paper account is
// logged in. Started once there is an API key, for that is how it gets its prices.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childEnv, common, ROOT } from './child.ts'
import { answersOk } from './http-probes.ts'
import { type Part, startPart } from './part.ts'
import type { SystemOptions } from './system.ts'

export const PAPER_ACCOUNT = 'paper'
export const PAPER_USER = {
  ...{ user_id: 'PAPER1', user_name: 'Paper Desk', api_key: 'paperapikey', api_secret: 'paperapisecret' },
} as const

export interface PaperInputs {
  port: number
  /** Whose dump it lists. */
  simulatorUrl: string
  controlPlaneUrl: string
  /** Its prices are those that this account of this key streams. */
  accountId: string
  apiKey: string
  onBack?(): void
}

export async function startPaperBroker(options: SystemOptions, inputs: PaperInputs): Promise<Part> {
  const usersFile = join(options.stateDir, 'paper-users.json')
  const callback = `${inputs.controlPlaneUrl}/kite`
  const user = {
    ...PAPER_USER,
    redirect_url: `${callback}/callback`,
    postback_url: `${callback}/postback/${PAPER_ACCOUNT}`,
  }
  await writeFile(usersFile, JSON.stringify([user], null, 2))
  return startPart({
    ...common(options),
    name: 'paper broker',
    command: process.execPath,
    args: [
      ...[join(ROOT, 'infra/kite-simulator/main.ts'), '--port', String(inputs.port)],
      ...['--users-file', usersFile, '--instruments', `${inputs.simulatorUrl}/instruments`],
      ...['--prices-from', inputs.controlPlaneUrl, '--prices-account', inputs.accountId],
    ],
    env: { ...childEnv(options), PAPER_PRICES_KEY: inputs.apiKey },
    logFile: join(options.stateDir, 'logs', 'paper-broker.log'),
    ready: answersOk(`http://127.0.0.1:${inputs.port}/sim/state`),
    onBack: () => inputs.onBack?.(),
  })
}
