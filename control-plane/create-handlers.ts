import { createEngine, loadCatalogue, WarmThread } from '@signalbox/policies'
import { startAlerts } from './alerts/watch-budgets.ts'
import type { Config } from './config.ts'
import type { Parts, Surroundings } from './control-plane.ts'
import type { Partitions } from './db/partitions.ts'
import type { Dependencies } from './dependencies.ts'
import { startDrills } from './drills/run-schedules.ts'
import { createGate } from './gate.ts'
import { createAccessHandlers } from './handlers/access.ts'
import { createBatchHandlers } from './handlers/batches.ts'
import { createBudgetHandlers } from './handlers/budgets.ts'
import { createCiHandlers } from './handlers/ci.ts'
import { createDeploymentHandlers } from './handlers/deployments.ts'
import { createDrillHandlers } from './handlers/drills.ts'
import { createGatewayHandlers } from './handlers/gateway.ts'
import { createLimitHandlers } from './handlers/limits.ts'
import { createMoneyHandlers } from './handlers/money.ts'
import { createPromptHandlers } from './handlers/prompts.ts'
import { createRecordHandlers } from './handlers/records.ts'
import { createReplayHandlers } from './handlers/replay.ts'
import { createRetentionHandlers } from './handlers/retention.ts'
import { createStatusHandlers } from './handlers/status.ts'
import { createSwitchHandlers } from './handlers/switches.ts'
import { createTrustHandlers } from './handlers/trust.ts'
import { createVersionHandlers } from './handlers/versions.ts'
import { createWebhookHandlers } from './handlers/webhooks.ts'
import type { SignInTools } from './identity/sign-in-tools.ts'
import { ingestLimits } from './ingest.ts'
import { createLedger } from './ledger/ledger.ts'
import { startStranding } from './ledger/strand.ts'
import { buildLimits, buildTimeoutMs } from './publish.ts'
import { startWatchingRollouts } from './rollouts/watch-rollouts.ts'
import { keepSelfChecking } from './self-check.ts'
import { databaseClock } from './stores/ledger-book.ts'
import { tryLimits, VersionSources } from './try-files.ts'

/** What the handlers share beside the parts of the program. */
export interface HandlerParts extends Parts {
  readonly common: Dependencies
  readonly partitions: Partitions
  readonly signIn: SignInTools
}

/** The handlers of all operations, and the work in the background that what they answer depends on. */
export async function createHandlers(config: Config, surroundings: Surroundings, parts: HandlerParts) {
  const { connection, publishing, started, common, partitions, signIn } = parts
  const { db } = connection
  const tools = { ...common, ...publishing }
  // Recorded calls are decided again where they are explained.
  const engine = await createEngine()
  started.defer(() => engine.dispose())
  started.defer(keepSelfChecking({ ...surroundings, db, engine }))
  const threads = startThreads(started)
  const gates = { buildGate: createGate(buildLimits), tryGate: createGate(tryLimits) }
  const sources = new VersionSources(db)
  const publishTools = { ...tools, ...gates, ...threads, sources, catalogue: loadCatalogue() }
  started.defer(startWatchingRollouts(tools))
  const clock = databaseClock
  const ledger = createLedger({ db, clock })
  started.defer(startStranding({ ledger, log: surroundings.log }))
  const rules = { trusted: config.webhookHosts.split(',').map((host) => host.trim()) }
  started.defer(startAlerts({ ...common, clock, rules }))
  started.defer(startDrills({ ...common, log: surroundings.log }))
  return {
    ...createAccessHandlers(common, signIn),
    ...createStatusHandlers(common),
    ...createVersionHandlers(publishTools),
    ...createDeploymentHandlers(publishTools),
    ...createSwitchHandlers(common),
    ...createRecordHandlers({ ...tools, engine, traceUrlTemplate: config.traceUrlTemplate }),
    ...createBudgetHandlers({ ...common, clock, ledger }),
    ...createLimitHandlers(common),
    ...createMoneyHandlers({ ledger, db, clock }),
    ...createBatchHandlers({ db, clock }),
    ...createDrillHandlers(common),
    ...createPromptHandlers(common),
    ...createReplayHandlers(common),
    ...createRetentionHandlers(common),
    ...createTrustHandlers(tools),
    ...createCiHandlers(common),
    ...createWebhookHandlers({ ...common, rules }),
    ...createGatewayHandlers({ ...tools, partitions, gate: createGate(ingestLimits) }),
  }
}

/** Threads that versions are built in, apart from what is only tried. */
function startThreads(started: AsyncDisposableStack) {
  const buildThread = new WarmThread({ timeoutMs: buildTimeoutMs })
  const tryThread = new WarmThread()
  for (const thread of [buildThread, tryThread]) started.defer(() => thread.close())
  return { buildThread, tryThread }
}
