// The main job through every real component, on one system: log in, subscribe, receive, order; then bad input, and
// parts taken away. The suites run in this order; each leaves the system as the next expects it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createDesk, type Desk } from './desk.ts'
import { type Recording, writeRecording } from './recording.ts'
import { runSystem } from './running-system.ts'
import { badInputSuite } from './suites/bad-input.ts'
import { batchSuite } from './suites/batches.ts'
import { candleSuite } from './suites/candles.ts'
import { consoleSuite } from './suites/console.ts'
import { exampleSuite } from './suites/examples.ts'
import { exitSuite } from './suites/exits.ts'
import { gttSuite } from './suites/gtts.ts'
import { historySuite } from './suites/history.ts'
import { holdingsAuthorisationSuite } from './suites/holdings-authorisation.ts'
import { killSwitchSuite } from './suites/kill-switch.ts'
import { kiteRestSuite } from './suites/kite-rest.ts'
import { kiteWireShapeSuite } from './suites/kite-wire-shapes.ts'
import { loginSuite } from './suites/login.ts'
import { optionChainSuite } from './suites/option-chains.ts'
import { orderChangeSuite } from './suites/order-changes.ts'
import { orderStreamSuite } from './suites/order-stream.ts'
import { orderVarietySuite } from './suites/order-varieties.ts'
import { orderSuite } from './suites/orders.ts'
import { paperSuite } from './suites/paper.ts'
import { partsTakenAwaySuite } from './suites/parts-taken-away.ts'
import { portfolioSuite } from './suites/portfolio.ts'
import { reconciliationSuite } from './suites/reconciliation.ts'
import { secretSuite } from './suites/secrets.ts'
import { strikeLadderSuite } from './suites/strike-ladders.ts'
import { tickSuite } from './suites/ticks.ts'
import { webhookSuite } from './suites/webhooks.ts'

const NIFTY_50 = 256_265
/** No dump has it: known from the recording alone. */
const RECORDED_ONLY = 10_924_290
const RECORDING_ROWS = 3_000

let desk: Desk
let recording: Recording
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticker-recording-'))
  recording = await writeRecording(
    join(folder, 'ticks.csv.gz'),
    Array.from({ length: RECORDING_ROWS }, (_, index) =>
      index % 5 === 0
        ? ([RECORDED_ONLY, 100 + (index % 997) * 0.05] as const)
        : ([NIFTY_50, 25_000 + (index % 991) * 0.05] as const),
    ),
  )
  const when = ['--replay', recording.path, '--replay-start', 'when_told']
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits', ...when], { paper: true }))
})
afterAll(async () => {
  await desk?.stop()
  await rm(folder, { recursive: true, force: true })
})

const running = () => desk
loginSuite(running)
consoleSuite(running)
tickSuite(running, () => recording)
strikeLadderSuite(running)
optionChainSuite(running)
candleSuite(running)
orderSuite(running)
orderChangeSuite(running)
orderVarietySuite(running)
portfolioSuite(running)
kiteRestSuite(running)
kiteWireShapeSuite(running)
holdingsAuthorisationSuite(running)
reconciliationSuite(running)
exitSuite(running)
// After what holds our fills against the broker's figures: a conversion mixes its average prices.
gttSuite(running)
killSwitchSuite(running)
batchSuite(running)
webhookSuite(running)
paperSuite(running)
badInputSuite(running)
historySuite(running)
exampleSuite(running)
orderStreamSuite(running)
partsTakenAwaySuite(running)
secretSuite(running)
