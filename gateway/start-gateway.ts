import { join, resolve } from 'node:path'
import { createEngine, indexCatalogue, verifyVectors } from '@signalbox/policies'
import { checkListening, decodeTrustRoot, type Logger } from '@signalbox/sdk/node'
import { BatchKeeper } from './batches/batch-keeper.ts'
import { type ClaimedFolder, claimFolder } from './claim-folder.ts'
import type { Clock } from './clock.ts'
import type { LoadedConfig } from './config.ts'
import { ControlPlaneOwners } from './control-plane-owners.ts'
import { AccessTokens } from './credentials/access-tokens.ts'
import { loadGatewayKey } from './credentials/gateway-key.ts'
import { KeyPools } from './credentials/key-pools.ts'
import type { Dialect } from './dialect.ts'
import { BlobStore } from './documents/blob-store.ts'
import { ControlPlaneLink } from './documents/control-plane-link.ts'
import { DocumentStore } from './documents/document-store.ts'
import { Documents } from './documents/documents.ts'
import { Mirror } from './documents/mirror.ts'
import { EndedCalls } from './ended-calls.ts'
import type { BreakerKeeper } from './health/breaker-keeper.ts'
import { openHealth } from './health/open-health.ts'
import { createIdSource } from './id-source.ts'
import { Journal } from './journal/journal.ts'
import { createKnownTargets, type KnownTargets } from './known-targets.ts'
import { loadPlugins } from './load-plugins.ts'
import { loadProviders } from './load-providers.ts'
import { logBug } from './log-bug.ts'
import { type OpenMoney, openMoney } from './money/open-money.ts'
import { ownUrl } from './own-url.ts'
import type { GatewayIdentity } from './parts.ts'
import type { Provider } from './provider.ts'
import type { OpenShared } from './redis/open-shared.ts'
import { openSharedStore } from './redis/open-shared-store.ts'
import { startReports } from './report-gateway.ts'
import { startTellingTrips } from './rollouts/tell-trips.ts'
import { Tripwires } from './rollouts/tripwires.ts'
import { createGatewayServer, type GatewayServer } from './server.ts'
import { createSimulation } from './simulated/simulate.ts'
import { attemptDefaults } from './steps/attempt.ts'
import { StoredIds } from './stored-ids.ts'
import { observeAll } from './telemetry/observe-all.ts'
import { newSpanIds } from './telemetry/span-ids.ts'
import { type RunningTelemetry, startTelemetry } from './telemetry/start-telemetry.ts'
import { tlsOf } from './tls.ts'
import { createUpstream, type Upstream } from './upstream/upstream.ts'

/** A caller's body may be this large (DESIGN: `request_too_large`). */
const bodyBytesMax = 32 * 1024 * 1024
/** What is left of records when the gateway ends gets this long to be sent; the rest goes with the next start. */
const journalCloseMs = 5000
/** Leases go back within this time; what cannot be told then is told by the next start, from the journal. */
const moneyCloseMs = 5000

export interface StartOptions extends Pick<LoadedConfig, 'config' | 'readVariable' | 'proxies'> {
  readonly clock: Clock
  /** A number from 0 up to 1. */
  readonly random: () => number
  readonly log: Logger
  /** Name and version of this program. */
  readonly software: string
  readonly unhandledErrors: () => number
}
/** A gateway that listens. */
export interface RunningGateway {
  readonly port: number
  readonly url: string
  /** What is missing before calls are served; empty when ready. */
  missing(): string[]
  /** Lets running calls finish, sends what is held back and closes; gives how many calls were cut. */
  drain(): Promise<number>
}

interface Parts {
  readonly folder: ClaimedFolder
  readonly telemetry: RunningTelemetry
  readonly documents: Documents
  readonly journal: Journal
  readonly ended: EndedCalls
  readonly upstream: Upstream
  readonly money: OpenMoney
  readonly shared: OpenShared
  readonly endReports: () => void
  readonly tripwires: Tripwires
  readonly endTrips: () => void
  readonly server: GatewayServer
  /** Ends the watching of the certificate. */
  readonly unfollow: () => void
  readonly breakers: BreakerKeeper
  /** Tells what the control plane does not know yet of stored things. */
  readonly endOwners: () => Promise<void>
  readonly batches: BatchKeeper
}

const pluginFolder = (name: string): URL => new URL(`./${name}/`, import.meta.url)

async function openDocuments(
  options: StartOptions,
  folder: string,
  incarnation: string,
  link: ControlPlaneLink,
): Promise<Documents> {
  const { config } = options
  const { root } = decodeTrustRoot(config.trustRoot)
  const [engine, key] = await Promise.all([createEngine(), loadGatewayKey(folder, config.gatewayKey)])
  const documents = new Documents({
    ...options,
    root,
    incarnation,
    key,
    engine: { engine, indexCatalogue, verifyVectors },
    link,
    store: new DocumentStore(join(folder, 'documents')),
    blobs: new BlobStore(join(folder, 'blobs')),
    releaseSequenceMin: config.readyRelease,
    mirror: config.mirror === undefined ? undefined : new Mirror(config.mirror),
  })
  await documents.loadFromDisk()
  return documents
}

function openJournal({ config, log }: StartOptions, folder: string, incarnation: string): Journal {
  return new Journal({
    folder: join(folder, 'journal'),
    incarnation,
    url: config.controlPlaneUrl,
    token: config.gatewayToken,
    bytesMax: config.journalBytesMax,
    log,
  })
}

async function build(
  options: StartOptions,
  folder: string,
  incarnation: string,
): Promise<Omit<Parts, 'folder'>> {
  const { config, clock, log, random } = options
  const link = new ControlPlaneLink({ url: config.controlPlaneUrl, token: config.gatewayToken })
  const [documents, tripwires, dialects, providers] = await Promise.all([
    openDocuments(options, folder, incarnation, link),
    Tripwires.open(join(folder, 'rollouts'), { clock: () => clock.nowMs(), log }),
    loadPlugins<Dialect>(pluginFolder('dialects'), 'dialect'),
    loadProviders(),
  ])
  const targets = createKnownTargets(documents, providers)
  const telemetry = await startTelemetry(telemetryOptions(options, incarnation, targets, providers))
  const journal = openJournal(options, folder, incarnation)
  const now = (): number => clock.nowMs()
  const [upstream, createId] = [createUpstream(now, (bug) => logBug(log, bug)), createIdSource()]
  const money = openMoney({ folder: join(folder, 'holds'), ...{ link, incarnation, clock, createId, log } })
  const identity = identityOf(incarnation, documents)
  const { health, breakers } = openHealth(options, upstream)
  const shared = openSharedStore(options, documents, { incarnation, createId, clock: now })
  const { storedIds, endOwners } = openStoredIds(shared, link)
  const ended = new EndedCalls({ identity, recorder: journal, telemetry, log })
  const tls = tlsOf(options)
  const batches = new BatchKeeper({ link, incarnation, random, log })
  const server = createGatewayServer(
    batches.startWith({
      ...{ identity, dialects, providers, ended, newSpanIds, upstream, createId, health, log, batches },
      ...{ attemptDefaults, tripwires, bodyBytesMax, ...shared },
      accessTokens: new AccessTokens(upstream, now),
      money: money.money,
      keyPools: new KeyPools(),
      snapshots: documents,
      simulate: createSimulation(now),
      storedIds,
      clock: now,
      random: () => Math.floor(random() * 2 ** 32),
      proxies: options.proxies,
    }),
    { metrics: telemetry.metrics, ...tls.options },
  )
  const { unhandledErrors } = options
  observeAll(telemetry, { documents, journal, server, money: money.money, health, shared, unhandledErrors })
  const endReports = startReports({ link, incarnation, shared, clock: now })
  const endTrips = startTellingTrips({ link, incarnation, tripwires })
  const ends = { endReports, endTrips, endOwners, tripwires, unfollow: (): void => tls.unfollow() }
  return { telemetry, documents, journal, upstream, server, ended, money, breakers, shared, batches, ...ends }
}

/** Who owns what providers keep: shared as the settings say. */
function openStoredIds({ owners }: OpenShared, link: ControlPlaneLink) {
  const plane = new ControlPlaneOwners(link)
  const storedIds = new StoredIds({ shared: owners ?? plane })
  return { storedIds, endOwners: (): Promise<void> => plane.close() }
}

/** Its id is known once the control plane has answered. */
function identityOf(incarnation: string, documents: Documents): GatewayIdentity {
  return {
    incarnation,
    region: '',
    get gatewayId() {
      return documents.identity?.gatewayId ?? ''
    },
  }
}

function telemetryOptions(
  { config, clock, log, software }: StartOptions,
  incarnation: string,
  targets: KnownTargets,
  providers: ReadonlyMap<string, Provider>,
) {
  return {
    ...{ config, clock, log },
    instanceId: incarnation,
    version: software.slice(software.indexOf('/') + 1),
    providerName: (id: string) => providers.get(id)?.telemetryName ?? id,
    serverOf: (target: string) => targets.serverOf(target),
    isKnownTarget: (target: string) => targets.isKnown(target),
  }
}

/**
 * Starts a gateway: what is on its disk first, so that it can serve at once; then it listens; then it follows the
 * control plane.
 * @throws Error where it cannot start; what it had opened by then is closed.
 */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const { config, log, proxies } = options
  const place = {
    host: config.host,
    tls: config.tlsKeyFile !== undefined,
    behindProxy: proxies !== undefined,
  }
  const warning = checkListening(place)
  if (warning !== undefined) log.warn(warning)
  const folder = join(resolve(config.dataDir), 'gateway')
  const claimed = await claimFolder(folder)
  const incarnation = createIdSource()()
  try {
    const parts = { folder: claimed, ...(await build(options, folder, incarnation)) }
    const port = await listen(parts, config)
    const url = ownUrl(config, port)
    parts.documents.connect(url)
    return {
      port,
      url,
      missing: () => parts.documents.missing(),
      drain: () => drain(parts, config.drainTimeoutMs),
    }
  } catch (error) {
    claimed.release()
    throw error
  }
}

/** @throws Error that names the port where it is in use. */
async function listen(parts: Parts, { port, host }: StartOptions['config']): Promise<number> {
  try {
    return await parts.server.listen(port, host)
  } catch (error) {
    await close(parts)
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    const message = `port ${port} on ${host} is in use: set SIGNALBOX_GATEWAY_PORT to another`
    throw new Error(message, { cause: error })
  }
}

async function drain(parts: Parts, timeoutMs: number): Promise<number> {
  const cut = await parts.server.drain(timeoutMs)
  await close(parts)
  return cut
}

/** Ends everything behind the server. Records and spans leave at the same time, each with its own limit. */
async function close(parts: Parts): Promise<void> {
  const { documents, upstream, ended, journal, telemetry, money, shared, folder, breakers } = parts
  parts.unfollow()
  parts.endReports()
  parts.endTrips()
  breakers.close()
  await parts.batches.close()
  ended.flush()
  await Promise.all([
    // The link to the ledger is the documents' own, and closes with them.
    Promise.all([money.close(moneyCloseMs), parts.endOwners()]).finally(() => documents.close()),
    upstream.close(),
    journal.close(journalCloseMs),
    telemetry.shutdown(),
    shared.close(),
    parts.tripwires.flush(),
  ])
  folder.release()
}
