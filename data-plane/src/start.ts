// The composition root: builds every part from the configuration, starts the loops under the supervisor, and stops
// them in order. main.ts runs it as the process; tests run it in theirs.

import { randomUUID } from 'node:crypto'
import { getProfile, type KiteHttp } from '@ticker/shared/kite-http'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { pricingTerms } from '@ticker/shared/option-pricing'
import { ACCOUNT_READS_PER_SECOND_MAX } from './broker-reads/account-reads.ts'
import { createReadGovernor } from './broker-reads/governor.ts'
import { startLiveCandles } from './candles/live-candles.ts'
import { systemClock } from './clock.ts'
import { createCommandChannel } from './command-channel/channel.ts'
import type { Config } from './config.ts'
import { createHistory } from './history/index.ts'
import { createInstrumentRefresh } from './instruments/refresh.ts'
import { sweepDone } from './kill-switch/halt-store.ts'
import { toOrderUpdate } from './kite-compat/order-update.ts'
import { openWebSocket } from './kite-socket/raw-socket.ts'
import { createKnownCalendar } from './market-data/known-calendar.ts'
import {
  contractLife,
  isCommodity,
  loginHours,
  misCutoff,
  preOpenHours,
  tradingHours,
  watchCalendar,
} from './market-data/market-hours.ts'
import { marketDataReadiness } from './market-data/readiness.ts'
import { createMarketData } from './market-data/runtime.ts'
import { openDatabase } from './operations/database.ts'
import { closeServer, listen } from './operations/listen.ts'
import { createLog, type Log } from './operations/log.ts'
import { createOpsServer } from './operations/ops-server.ts'
import { createRegistry } from './operations/process-metrics.ts'
import { createReadiness } from './operations/readiness.ts'
import { createSupervisor } from './operations/supervisor.ts'
import { createOptionChains } from './option-chain/option-chains.ts'
import { createOrderMetrics } from './orders/metrics.ts'
import {
  claimAccounts,
  forgetOldInstances,
  registerInstance,
  releaseInstance,
  renewAndObserve,
} from './ownership/instance-store.ts'
import { credentialsOf } from './ownership/owned-account.ts'
import type { OwnershipView } from './ownership/ownership.ts'
import { createOwnership } from './ownership/ownership.ts'
import { createSessionGuard } from './ownership/session-guard.ts'
import { createSessionReminders } from './ownership/session-reminders.ts'
import { markSessionDead, markSocketRefused, readSession } from './ownership/session-store.ts'
import { createSocketRefusals } from './ownership/socket-refusals.ts'
import { startPublishing } from './publish/publishing.ts'
import { startAnswers } from './start-answers.ts'
import { startClientStreams } from './start-client-streams.ts'
import { createGtts } from './start-gtts.ts'
import { createKillSwitch } from './start-kill-switch.ts'
import { createOrders } from './start-orders.ts'
import { startReconciliation } from './start-reconciliation.ts'
import { createRisk } from './start-risk.ts'
import { VERSION } from './version.ts'
import { createWebhooks } from './webhooks/index.ts'

export interface DataPlane {
  instanceId: string
  streamPort: number
  opsPort: number
  stop(): Promise<void>
}

const READ_TIMEOUT_MS = 7_000
/** Two months of minutes are megabytes. */
const HISTORY_TIMEOUT_MS = 20_000
/** Without a pass that reached the database for this long, the instance is not fit for orders. */
const LEASE_STALE_MS = 8_000
const DRAIN_MS = 8_000

export async function startDataPlane(config: Config, logOverride?: Log): Promise<DataPlane> {
  const instanceId = randomUUID()
  const clock = systemClock
  const log =
    logOverride ??
    createLog({ level: config.logLevel, base: { service: 'data-plane', instance_id: instanceId } })
  const registry = createRegistry({ instance: instanceId })
  const readiness = createReadiness()
  const supervisor = createSupervisor({ clock, log, registry })
  readiness.register(
    'tasks',
    () =>
      supervisor
        .failing()
        .map((task) => `${task.task}: ${task.error}`)
        .join('; ') || undefined,
  )

  const pool = await openDatabase({
    url: config.databaseUrl,
    connectionsMax: config.databasePoolSize,
    realm: config.realm,
  })
  const kite: KiteHttp = { root: config.kiteApiRoot, fetch, timeoutMs: READ_TIMEOUT_MS }
  const historyKite: KiteHttp = { ...kite, timeoutMs: HISTORY_TIMEOUT_MS }

  const knownCalendar = createKnownCalendar({ db: pool, log })
  const calendar = createMarketCalendar(knownCalendar.data)
  if (config.marketHours === 'calendar') watchCalendar(calendar, clock, log, registry)
  const isOpen = tradingHours(config.marketHours, calendar, clock)
  const isOver = contractLife(config.marketHours, calendar, clock)
  const marketData = createMarketData({
    realm: config.realm,
    clock,
    random: Math.random,
    log,
    registry,
    supervisor,
    db: pool,
    wsRoot: config.kiteSocketRoot,
    openSocket: openWebSocket,
    isOpen,
    isOver,
  })
  const optionChains = createOptionChains({
    ...{ clock, registry, source: marketData, calendar, isOpen, isOver },
    isPreOpen: preOpenHours(config.marketHours, calendar, clock),
    termsOf: pricingTerms(config.optionTerms),
  })

  const candles = startLiveCandles({
    ...{ clock, log, registry, supervisor, pool, calendar },
    source: marketData,
    hours: config.marketHours,
    // History is made further down, once it is known whose accounts may be asked.
    backfill: (request, signal) => history.backfill(request, signal),
  })
  const clients = await startClientStreams({
    ...{ config, clock, log, registry, supervisor, pool, marketData, optionChains, candles },
  })

  const identity = {
    id: instanceId,
    streamUrl: config.publicStreamUrl ?? `ws://127.0.0.1:${clients.port}`,
    version: VERSION,
    egressGroup: config.egressGroup,
  }
  const ownership = createOwnership({
    clock,
    log,
    registry,
    store: {
      register: () => registerInstance(pool, identity),
      renewAndObserve: (epoch) => renewAndObserve(pool, instanceId, epoch),
      claimAccounts: (epoch) => claimAccounts(pool, instanceId, epoch),
      release: (epoch) => releaseInstance(pool, instanceId, epoch),
      readSession: (accountId, version) =>
        readSession(pool, config.credentialKeys, instanceId, accountId, version, config.paperApiRoot),
    },
    onView: applyView,
  })
  for (const [name, unfit] of marketDataReadiness({ marketData, isOpen, unopened: ownership.unopened }))
    readiness.register(name, unfit)
  readiness.register('lease', () =>
    ownership.lease.mayAct() && ownership.lastPassAgeMs() < LEASE_STALE_MS
      ? undefined
      : 'the lease was not renewed',
  )

  async function sessionDead(accountId: string, version: number, reason: string) {
    if (await markSessionDead(pool, accountId, version, reason))
      log.error(
        { account_id: accountId, session_version: version, reason },
        'broker session is dead; log in again',
      )
    ownership.wake()
  }

  const socketRefusals = createSocketRefusals({
    log,
    mark: (accountId, version, refused) => markSocketRefused(pool, accountId, version, refused),
    sockets: () => marketData.status().accounts,
    onMoved() {
      ownership.wake()
      marketData.wake('sockets refused or taken')
    },
  })

  const accountGovernor = createReadGovernor({
    clock,
    registry,
    name: 'account',
    perSecondMax: ACCOUNT_READS_PER_SECOND_MAX,
  })

  const answers = startAnswers({
    ...{ clock, registry, kite, pool, marketData, accountGovernor, instanceStatus, optionChains },
    isSynthetic: config.realm === 'sim',
    decide: (account, order) => risk.decideOn(account, order),
    streamClients: clients.all.connected,
    accounts: () => ownership.view()?.accounts ?? [],
    onSessionDead: sessionDead,
  })
  const risk = createRisk({
    ...{ clock, log, registry, pool, marketData },
    answers,
    misCutoffMs: misCutoff(config.marketHours, calendar, clock),
    accounts: () => ownership.view()?.accounts ?? [],
    // Webhooks are made further down.
    warn: ({ account_id, ...warning }) => webhooks.risk('risk.mis_cutoff_near', account_id, warning),
  })

  const killSwitch = createKillSwitch({ config, instanceId, pool, clock, log, registry })
  const gtts = createGtts({
    ...{ pool, registry, kite, clock, log, governor: accountGovernor, quotes: answers.quotes },
  })
  const sender = {
    ...{ instanceId, supervisor, clock, log, lease: ownership.lease, metrics: createOrderMetrics(registry) },
    ...{ risk: risk.gate, isHalted: killSwitch.halts.isHalted, onSessionDead: sessionDead },
  }
  const orderDesk = createOrders({
    ...{ ...sender, registry, pool, kite, sweepGtts: gtts.sweep },
    governor: accountGovernor,
    exitMarket: risk.exitMarket,
    onExitAlarm: (accountId, type, data) => webhooks.risk(type, accountId, data),
    onLogged: clients.orders.wake,
    onSwept: (accountId, requestedAt) => sweepDone(pool, accountId, requestedAt),
    onChanged(accountId, changed) {
      // One that was placed elsewhere may be a GTT's.
      if (changed.some(({ intentId }) => intentId === null)) writeDesk.want(accountId)
      // The caller's tag goes out, ours stays inside (RELIABILITY: orders).
      for (const { order, clientTag, intentId } of changed) {
        const shown = intentId ? { ...order, tag: clientTag, tags: clientTag ? [clientTag] : [] } : order
        clients.kiteCompat.broadcastOrder(accountId, toOrderUpdate(shown))
      }
    },
  })
  const writeDesk = gtts.desk({
    ...{ ...sender, onTriggered: orderDesk.updatesLost, onLogged: clients.orders.wake },
    // A sweep that has not heard yet that it is to stop would delete what is placed anew.
    isHalted: (accountId) =>
      sender.isHalted(accountId) ||
      orderDesk.sweeps().some(({ account_id, state }) => account_id === accountId && state !== 'done'),
  })

  readiness.register('orders', orderDesk.unfit)

  pool.on('error', (error) => {
    log.warn({ error }, 'database connection lost; order books are read before anything is sent')
    orderDesk.databaseLost()
    reconciliations.databaseLost()
    writeDesk.databaseLost()
  })

  const refresh = createInstrumentRefresh({
    pool,
    root: config.kiteApiRoot,
    fetch,
    clock,
    log,
    registry,
    accounts: () =>
      (ownership.view()?.accounts ?? []).flatMap((account) =>
        account.session && !account.observed.paper
          ? [{ accountId: account.accountId, credentials: credentialsOf(account, account.session) }]
          : [],
      ),
    onStored: ({ snapshotId, changes }) => {
      ownership.wake()
      publishing?.instruments(snapshotId, changes)
    },
  })

  readiness.register('instruments', refresh.unfit)

  const history = createHistory({
    ...{ instanceId, pool, kite: historyKite, clock, log, registry, calendar },
    bounds: config.historyCache,
    accounts: () =>
      (ownership.view()?.accounts ?? []).filter(
        ({ session, observed }) => session && observed.active && observed.market_data,
      ),
    onSessionDead: sessionDead,
  })

  const webhooks = createWebhooks({
    ...{ pool, clock, log, registry, random: Math.random },
    credentialKeys: config.credentialKeys,
    synthetic: config.realm === 'sim',
    privateTargets: config.webhookPrivateTargets,
  })

  const reconciliations = startReconciliation({
    ...{ instanceId, clock, log, registry, pool, kite, calendar },
    ...{ reads: answers.reads, lease: ownership.lease, desk: orderDesk, hours: config.marketHours },
    accounts: () => ownership.view()?.accounts ?? [],
    tell: webhooks.risk,
  })

  const login = loginHours(config.marketHours, calendar, clock)
  const tradesCommodities = (owner: string) => () => marketData.ownerWants(owner, isCommodity)
  const reminders = createSessionReminders({
    clock,
    log,
    registry,
    accounts: () => ownership.view()?.accounts ?? [],
    isLoginWanted: (owner) => login.isWanted(tradesCommodities(owner)),
    isTradingDay: (owner) => login.isTradingDay(tradesCommodities(owner)),
    emit(reminder) {
      publishing?.remind(reminder)
      webhooks.remind(reminder)
    },
  })

  let versions = ''
  function applyView(view: OwnershipView) {
    killSwitch.halts.look(view.observation.accounts)
    void knownCalendar.look(view.observation.calendar_version)
    marketData.setAccounts(view.accounts.filter(({ observed }) => observed.active && observed.market_data))
    socketRefusals.look(view.accounts)
    orderDesk.setAccounts(view.accounts)
    writeDesk.setAccounts(view.accounts)
    reminders.look(view.accounts)
    webhooks.look(view.accounts)
    publishing?.sessions(marketData.status().accounts)
    const { subscriptions_version, instruments_version, accounts_version } = view.observation
    const seen = `${subscriptions_version}/${instruments_version}/${accounts_version}`
    if (seen !== versions) marketData.wake('versions moved')
    versions = seen
  }

  marketData.onOrderUpdate((accountId, order) => orderDesk.orderUpdate(accountId, order))
  marketData.onUpdatesLost((accountId) => {
    orderDesk.updatesLost(accountId)
    reconciliations.updatesLost(accountId)
  })
  const sessionGuard = createSessionGuard({
    clock,
    random: Math.random,
    log,
    registry,
    account: (accountId) => ownership.view()?.accounts.find((each) => each.accountId === accountId),
    readProfile: (apiKey, { accessToken }) =>
      getProfile(kite, { api_key: apiKey, access_token: accessToken }),
    onDead: sessionDead,
    onSocketRefused: socketRefusals.refused,
    retry: marketData.retryAccount,
  })
  marketData.onSessionRefused(sessionGuard.refused)

  const commands = createCommandChannel({
    realm: config.realm,
    instanceId,
    redisUrl: config.commandRedisUrl,
    clock,
    random: Math.random,
    log,
    registry,
    onNudge: () => {
      ownership.wake()
      marketData.wake('nudge')
      refresh.wake()
      history.wake()
      webhooks.wake()
      reconciliations.wake()
      clients.orders.wake()
    },
    answer: answers.answer,
  })
  readiness.register('command channel', commands.unfit)

  function instanceStatus() {
    const status = marketData.status()
    return {
      instance_id: instanceId,
      epoch: ownership.view()?.epoch ?? 0,
      uptime_s: Math.round(clock.monotonicMs() / 1000),
      accounts: status.accounts,
      ticks: status.ticks,
      interest: status.interest,
      stream_clients: clients.streams.clients(),
      kite_clients: clients.kiteCompat.clients(),
      order_budgets: orderDesk.budgets(),
      publishing: publishing?.status() ?? null,
    }
  }

  const publishing =
    config.tickRedisUrl === undefined
      ? undefined
      : startPublishing({
          ...{ clock, random: Math.random, log, registry, supervisor, instanceId, marketData },
          redisUrl: config.tickRedisUrl,
          json: config.jsonTicks,
        })

  const ownedIds = () => (ownership.view()?.accounts ?? []).map(({ accountId }) => accountId)
  const opsServer = createOpsServer({ readiness, registry, kill: killSwitch.door(orderDesk, ownedIds) })
  const opsPort = await listen(opsServer, config.opsPort, config.opsHost)
  supervisor.run('ownership', ownership.run)
  supervisor.run('refused sessions', sessionGuard.run)
  supervisor.run('instruments', refresh.run)
  supervisor.run('commands', commands.run)
  killSwitch.start(supervisor)
  risk.start(supervisor)
  history.start(supervisor)
  webhooks.start(supervisor)
  reconciliations.start(supervisor)
  supervisor.run('old instances', async (signal, isWell) => {
    while (!signal.aborted) {
      await forgetOldInstances(pool)
      isWell()
      await clock.sleep(3_600_000, signal)
    }
  })
  log.info(
    { stream_port: clients.port, ops_port: opsPort, realm: config.realm, version: VERSION },
    'data plane started',
  )

  return {
    instanceId,
    streamPort: clients.port,
    opsPort,
    async stop() {
      log.info({}, 'data plane stopping')
      // No new claims first; then what is in flight gets its verdict; then clients are told to come back.
      readiness.register('stopping', () => 'the process is stopping')
      orderDesk.close()
      writeDesk.close()
      await Promise.all([orderDesk.drained(DRAIN_MS), writeDesk.drained(DRAIN_MS)])
      await Promise.all([clients.streams.stop(), clients.kiteCompat.stop()])
      await marketData.stop()
      const stuck = await supervisor.stop(3_000)
      if (stuck.length > 0) log.error({ tasks: stuck }, 'tasks did not end in time')
      await ownership
        .release()
        .catch((error: unknown) => log.warn({ error }, 'lease not released; it will expire'))
      commands.stop()
      publishing?.stop()
      await Promise.all([closeServer(clients.server), closeServer(opsServer), pool.end()])
      log.info({}, 'data plane stopped')
    },
  }
}
