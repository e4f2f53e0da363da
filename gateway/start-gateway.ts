import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createEngine, indexCatalogue, verifyVectors } from '@signalbox/policies'
import { decodeTrustRoot, type Logger } from '@signalbox/sdk/node'
import { type ClaimedFolder, claimFolder } from './claim-folder.ts'
import type { Clock } from './clock.ts'
import type { LoadedConfig } from './config.ts'
import { AccessTokens } from './credentials/access-tokens.ts'
import { loadGatewayKey } from './credentials/gateway-key.ts'
import type { Dialect } from './dialect.ts'
import { BlobStore } from './documents/blob-store.ts'
import { ControlPlaneLink } from './documents/control-plane-link.ts'
import { DocumentStore } from './documents/document-store.ts'
import { Documents } from './documents/documents.ts'
import { EndedCalls } from './ended-calls.ts'
import { createIdSource } from './id-source.ts'
import { Journal } from './journal/journal.ts'
import { createKnownTargets, type KnownTargets } from './known-targets.ts'
import { loadPlugins } from './load-plugins.ts'
import type { Provider } from './provider.ts'
import { createGatewayServer, type GatewayServer } from './server.ts'
import { createSimulation } from './simulated/simulate.ts'
import { attemptDefaults } from './steps/attempt.ts'
import { StoredIds } from './stored-ids.ts'
import { observeGateway } from './telemetry/gateway-metrics.ts'
import { newSpanIds } from './telemetry/span-ids.ts'
import { type RunningTelemetry, startTelemetry } from './telemetry/start-telemetry.ts'
import { createUpstream, type Upstream } from './upstream/upstream.ts'

/** A caller's body may be this large (DESIGN: `request_too_large`). */
const bodyBytesMax = 32 * 1024 * 1024
/** What is left of records when the gateway ends gets this long to be sent; the rest goes with the next start. */
const journalCloseMs = 5000

export interface StartOptions extends Pick<LoadedConfig, 'config' | 'readVariable'> {
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
  readonly server: GatewayServer
}

const pluginFolder = (name: string): URL => new URL(`./${name}/`, import.meta.url)

async function openDocuments(options: StartOptions, folder: string, incarnation: string): Promise<Documents> {
  const { config } = options
  const { root } = decodeTrustRoot(config.trustRoot)
  const [engine, key] = await Promise.all([createEngine(), loadGatewayKey(folder, config.gatewayKey)])
  const documents = new Documents({
    ...options,
    root,
    incarnation,
    key,
    engine: { engine, indexCatalogue, verifyVectors },
    link: new ControlPlaneLink({ url: config.controlPlaneUrl, token: config.gatewayToken }),
    store: new DocumentStore(join(folder, 'documents')),
    blobs: new BlobStore(join(folder, 'blobs')),
    releaseSequenceMin: config.readyRelease,
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
  const [documents, dialects, providers] = await Promise.all([
    openDocuments(options, folder, incarnation),
    loadPlugins<Dialect>(pluginFolder('dialects'), 'dialect'),
    loadPlugins<Provider>(pluginFolder('providers'), 'provider'),
  ])
  const targets = createKnownTargets(documents, providers)
  const telemetry = await startTelemetry(telemetryOptions(options, incarnation, targets, providers))
  const journal = openJournal(options, folder, incarnation)
  const now = (): number => clock.nowMs()
  const upstream = createUpstream(now)
  const identity = {
    incarnation,
    region: '',
    get gatewayId() {
      return documents.identity?.gatewayId ?? ''
    },
  }
  const ended = new EndedCalls({ identity, recorder: journal, telemetry, log })
  const server = createGatewayServer(
    {
      ...{
        identity,
        dialects,
        providers,
        ended,
        newSpanIds,
        upstream,
        accessTokens: new AccessTokens(upstream, now),
        attemptDefaults,
        bodyBytesMax,
        log,
      },
      snapshots: documents,
      simulate: createSimulation(now),
      storedIds: new StoredIds(),
      clock: now,
      random: () => Math.floor(random() * 2 ** 32),
      createId: createIdSource(),
    },
    { metrics: telemetry.metrics, ...tlsOf(config) },
  )
  observeGateway(telemetry.registry, {
    documents: () => documents.status(),
    isReady: () => documents.missing().length === 0,
    journal: () => journal.status(),
    running: () => server.running(),
    spans: telemetry.spans,
    unhandledErrors: options.unhandledErrors,
  })
  return { telemetry, documents, journal, upstream, server, ended }
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

function tlsOf({ tlsCertificateFile, tlsKeyFile }: StartOptions['config']) {
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return {}
  return { tls: { cert: readFileSync(tlsCertificateFile, 'utf8'), key: readFileSync(tlsKeyFile, 'utf8') } }
}

/** Where callers reach the gateway, as far as it knows by itself. */
function urlOf({ host, tlsKeyFile }: StartOptions['config'], port: number): string {
  const isWildcard = host === '0.0.0.0' || host === '::'
  const name = isWildcard ? hostname() : host.includes(':') ? `[${host}]` : host
  return `${tlsKeyFile === undefined ? 'http' : 'https'}://${name}:${port}`
}

/**
 * Starts a gateway: what is on its disk first, so that it can serve at once; then it listens; then it follows the
 * control plane.
 * @throws Error where it cannot start; what it had opened by then is closed.
 */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const { config } = options
  const folder = join(resolve(config.dataDir), 'gateway')
  const claimed = await claimFolder(folder)
  const incarnation = createIdSource()()
  try {
    const parts = { folder: claimed, ...(await build(options, folder, incarnation)) }
    const port = await listen(parts, config)
    const url = urlOf(config, port)
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

async function listen(parts: Parts, { port, host }: StartOptions['config']): Promise<number> {
  try {
    return await parts.server.listen(port, host)
  } catch (error) {
    await close(parts)
    throw error
  }
}

async function drain(parts: Parts, timeoutMs: number): Promise<number> {
  const cut = await parts.server.drain(timeoutMs)
  await close(parts)
  return cut
}

/** Ends everything behind the server. Records and spans leave at the same time, each with its own limit. */
async function close({ documents, upstream, ended, journal, telemetry, folder }: Parts): Promise<void> {
  ended.flush()
  await Promise.all([
    documents.close(),
    upstream.close(),
    journal.close(journalCloseMs),
    telemetry.shutdown(),
  ])
  folder.release()
}
