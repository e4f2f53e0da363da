import {
  type DocumentKind,
  documentKinds,
  type Envelope,
  type gatewayOperations,
  Refusal,
} from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { ChangeFeed } from '../db/change-feed.ts'
import type { Database } from '../db/connect.ts'
import type { DeployTools } from '../deploy.ts'
import { type DocumentFeed, openDocumentEar, type Reader } from '../documents/feed.ts'
import type { Publisher } from '../documents/publisher.ts'
import type { Sessions } from '../documents/sessions.ts'
import { type Handlers, type RequestContext, replyWith } from '../handler.ts'
import { type IngestTools, ingestSegment } from '../ingest.ts'
import { takeTrip } from '../rollouts/watch-rollouts.ts'
import { loadBlob } from '../stores/blobs.ts'
import { findRootDocument } from '../stores/documents.ts'
import { storeAck, storeHello, storeReport } from '../stores/gateway-sessions.ts'
import { findStored, forgetStored, noteStored, sweepStored } from '../stores/stored-things.ts'

export interface GatewayTools extends IngestTools, DeployTools {
  readonly db: Database
  readonly changes: ChangeFeed
  readonly documents: DocumentFeed
  readonly publisher: Publisher
  readonly sessions: Sessions
  readonly mayReadBlob: (reader: Reader, digest: string) => Promise<boolean>
}

/** Longest time that a request for a document waits for a newer one. */
const documentWaitMsMax = 25_000
/** An idle event stream looks by itself this often, should a change have been missed. */
const eventsLookMs = 60_000

function readerOf({ organisationId, caller }: RequestContext): Reader {
  // Operations of role `gateway` are served to gateways alone.
  if (caller.kind !== 'gateway') throw new Refusal('forbidden')
  return { organisationId, environment: caller.environment, gatewayId: caller.id }
}

function etagOf(kind: DocumentKind, sequence: number): string {
  return `"${kind}-${sequence}"`
}

/** The sequence that the caller has, from `If-None-Match`; 0 where it has none. */
function knownSequence(kind: DocumentKind, header: string | undefined): number {
  for (const tag of (header ?? '').split(',')) {
    const match = /^(?:W\/)?"([a-z]+)-(\d{1,15})"$/.exec(tag.trim())
    if (match?.[1] === kind) return Number(match[2])
  }
  return 0
}

/** Milliseconds of `Prefer: wait=N`, 0 where it is not sent. */
function waitMs(header: string | string[] | undefined): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})\b/.exec([header ?? ''].flat().join(','))?.[1]
  return Math.min(documentWaitMsMax, Number(seconds ?? 0) * 1000)
}

function incarnationOf(text: string): string {
  if (!isUuid(text)) {
    throw new Refusal('invalid_request', { message: 'The incarnation must be a UUID.', param: 'incarnation' })
  }
  return text
}

/** One of the root documents: whoever is behind follows them one by one, as each vouches for the next alone. */
async function rootOf({ db }: GatewayTools, reader: Reader, kind: DocumentKind, sequence: number) {
  if (kind !== 'root') {
    throw new Refusal('invalid_request', { message: 'Only roots have a past.', param: 'sequence' })
  }
  const row = await findRootDocument(db, reader.organisationId, sequence)
  if (row === undefined) throw new Refusal('not_found', { message: `There is no root ${sequence}.` })
  return replyWith(JSON.parse(row.envelope) as Envelope, { headers: { etag: etagOf(kind, sequence) } })
}

const gatewayDocument =
  (tools: GatewayTools): Handlers<typeof gatewayOperations>['gatewayDocument'] =>
  async (context, { params: { kind }, query: { sequence } }) => {
    const reader = readerOf(context)
    if (sequence !== undefined) return await rootOf(tools, reader, kind, sequence)
    const known = knownSequence(kind, context.headers['if-none-match'])
    const timeoutMs = waitMs(context.headers.prefer)
    const close = timeoutMs > 0 ? await tools.sessions.open(reader.gatewayId, 'poll') : undefined
    try {
      const options = { timeoutMs, signal: context.signal }
      const newer = await tools.documents.waitFor(reader, { kind, above: known }, options)
      if (newer !== undefined) {
        return replyWith(newer.body, {
          headers: { etag: etagOf(kind, newer.sequence), 'cache-control': 'no-cache' },
        })
      }
      const newest = await tools.documents.newest(reader, kind)
      if (newest === undefined) {
        throw new Refusal('not_found', { message: `There is no ${kind} document for this gateway yet.` })
      }
      const headers = { etag: etagOf(kind, newest.sequence) }
      // A caller that claims a newer one than ours gets ours: the database may have been restored.
      if (newest.sequence !== known) return replyWith(newest.body, { headers })
      return replyWith<typeof newest.body>(undefined, { status: 304, headers })
    } finally {
      close?.()
    }
  }

async function* documentEvents(
  tools: GatewayTools,
  reader: Reader,
  signal: AbortSignal,
): AsyncGenerator<{ kind: DocumentKind; sequence: number }> {
  const ear = openDocumentEar(tools.changes, reader, documentKinds)
  const close = await tools.sessions.open(reader.gatewayId, 'events')
  const sent = new Map<DocumentKind, number>()
  let kinds: readonly DocumentKind[] = documentKinds
  try {
    while (!signal.aborted) {
      for (const kind of kinds) {
        const sequence = (await tools.documents.newest(reader, kind))?.sequence
        if (sequence === undefined || sequence === sent.get(kind)) continue
        sent.set(kind, sequence)
        yield { kind, sequence }
      }
      kinds = (await ear.heard({ timeoutMs: eventsLookMs, signal })) ? ear.takeKinds() : documentKinds
    }
  } finally {
    ear.close()
    close()
  }
}

const gatewayHello =
  (tools: GatewayTools): Handlers<typeof gatewayOperations>['gatewayHello'] =>
  async (context, { body }) => {
    const { gatewayId, organisationId, environment } = readerOf(context)
    const incarnation = incarnationOf(body.incarnation)
    const nowMs = tools.nowMs()
    if (Buffer.from(body.publicKey, 'base64url').length !== 32) {
      throw new Refusal('invalid_request', {
        message: 'The public key must be an X25519 key: 32 bytes, base64url.',
        param: 'publicKey',
      })
    }
    const { publicKey, software, url = null, engine = null } = body
    await storeHello(tools.db, gatewayId, { incarnation, publicKey, software, url, engine, nowMs })
    try {
      await tools.publisher.publishCredentials(organisationId, environment)
    } catch (error) {
      // A gateway that has its secrets on disk, or needs none, must be able to start.
      context.log.error({ err: error, gatewayId }, 'the secrets could not be sealed to a gateway')
    }
    return { gatewayId, organisationId, environment, serverTimeMs: nowMs }
  }

const gatewayAck =
  (tools: GatewayTools): Handlers<typeof gatewayOperations>['gatewayAck'] =>
  async (context, { body }) => {
    const { gatewayId, organisationId, environment } = readerOf(context)
    const { kind, sequence, connections = null } = body
    const error = body.result === 'rejected' ? (body.error ?? 'no reason was given') : null
    const incarnation = incarnationOf(body.incarnation)
    const ack = { organisationId, gatewayId, incarnation, kind, sequence, error, connections }
    const taken = await storeAck(tools.db, { ...ack, nowMs: tools.nowMs() })
    if (error !== null) {
      context.log.warn({ gatewayId, kind, sequence, reason: error }, 'a gateway rejected a document')
    }
    if (!taken) context.log.warn({ gatewayId, incarnation }, 'an older run of the gateway is still there')
    const change = { type: 'ack', organisationId, environment } as const
    await tools.changes.announce(tools.db, change)
    tools.changes.emit(change)
    return { ok: true }
  }

const gatewayReport =
  (tools: GatewayTools): Handlers<typeof gatewayOperations>['gatewayReport'] =>
  async (context, { body }) => {
    const { gatewayId } = readerOf(context)
    await storeReport(tools.db, gatewayId, { ...body, incarnation: incarnationOf(body.incarnation) })
    return {}
  }

/** What providers keep and whose it is, for all gateways of the environment. */
const storedHandlers = (
  tools: GatewayTools,
): Pick<Handlers<typeof gatewayOperations>, 'gatewayNoteStored' | 'gatewayFindStored'> => ({
  async gatewayNoteStored(context, { body: { things, forgotten } }) {
    const scope = readerOf(context)
    const nowMs = tools.nowMs()
    await noteStored(
      tools.db,
      scope,
      things.filter(({ nodeId }) => isUuid(nodeId)),
      nowMs,
    )
    await forgetStored(tools.db, scope, forgotten)
    await sweepStored(tools.db, nowMs)
    return {}
  },
  async gatewayFindStored(context, { body: { keys } }) {
    return { things: await findStored(tools.db, readerOf(context), keys) }
  },
})

/** What gateways ask: documents, blobs, what is new; and what they report: acknowledgements, segments. */
export function createGatewayHandlers(tools: GatewayTools): Handlers<typeof gatewayOperations> {
  return {
    gatewayHello: gatewayHello(tools),
    gatewayDocument: gatewayDocument(tools),
    gatewayEvents: (context) => documentEvents(tools, readerOf(context), context.signal),
    async gatewayBlob(context, { params: { digest } }) {
      const reader = readerOf(context)
      const allowed = await tools.mayReadBlob(reader, digest)
      const bytes = allowed ? await loadBlob(tools.db, reader.organisationId, digest) : undefined
      if (bytes === undefined) {
        throw new Refusal('not_found', { message: 'No document of this gateway names such a blob.' })
      }
      return replyWith(bytes, {
        headers: { 'cache-control': 'private, max-age=31536000, immutable', etag: `"${digest}"` },
      })
    },
    gatewayAck: gatewayAck(tools),
    gatewayReport: gatewayReport(tools),
    async gatewayTrip(context, { body }) {
      const { gatewayId, organisationId, environment } = readerOf(context)
      incarnationOf(body.incarnation)
      const gateway = context.caller.kind === 'gateway' ? context.caller.name : gatewayId
      return { rolledBack: await takeTrip(tools, { organisationId, environment, gateway }, body.trip) }
    },
    ...storedHandlers(tools),
    async gatewaySegment(context, { params, query, body }) {
      const { previous = null, records } = query
      const incarnation = incarnationOf(query.incarnation)
      const { digest } = params
      const upload = { digest, incarnation, previous, records, bytes: body }
      return await ingestSegment(tools, { ...readerOf(context), ...upload })
    },
  }
}
