import type { accessOperations, Envelope, ReplyOf } from '@signalbox/sdk/contract'
import { createSecret, encodeTrustRoot, hashSecret } from '@signalbox/sdk/node'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { withAudit } from '../stores/audit.ts'
import { loadRootDocument } from '../stores/documents.ts'
import {
  countGateways,
  type GatewayDocumentRow,
  type GatewayRow,
  insertGateway,
  isConnected,
  listGatewayDocuments,
  listGateways,
} from '../stores/gateways.ts'
import { requireEnvironment } from './environments.ts'

type GatewayHandlers = Pick<Handlers<typeof accessOperations>, 'listGateways' | 'enrollGateway'>
export type GatewayView = ReplyOf<typeof accessOperations.listGateways>['items'][number]

/** What the gateway's current run has acknowledged; an earlier run's word counts no more. */
function currentDocuments(row: GatewayRow, documents: readonly GatewayDocumentRow[]): GatewayDocumentRow[] {
  return documents.filter((each) => each.gatewayId === row.id && each.incarnation === row.incarnation)
}

function rejectedOf(documents: readonly GatewayDocumentRow[]): GatewayView['rejected'] {
  const [newest] = documents
    .filter((each) => each.rejectedSequence !== null)
    .sort((a, b) => b.updatedMs - a.updatedMs)
  if (newest === undefined || newest.rejectedSequence === null) return null
  return { document: newest.kind, sequence: newest.rejectedSequence, error: newest.rejectedError ?? '' }
}

function rejectionsOf(documents: readonly GatewayDocumentRow[]): GatewayView['rejections'] {
  return documents.flatMap(({ kind, rejectedSequence, rejectedError, updatedMs }) =>
    rejectedSequence === null
      ? []
      : [{ document: kind, sequence: rejectedSequence, error: rejectedError ?? '', timeMs: updatedMs }],
  )
}

function describeGateway(
  row: GatewayRow,
  documents: readonly GatewayDocumentRow[],
  nowMs: number,
): GatewayView {
  const { id, name, environment, incarnation, url, lastSeenMs, software, createdMs, revokedMs } = row
  const own = currentDocuments(row, documents)
  const active = (kind: string) => own.find((each) => each.kind === kind)?.activeSequence ?? null
  return {
    ...{ id, name, environment, incarnation, url, lastSeenMs, software, createdMs, revokedMs },
    connected: isConnected(row, nowMs),
    release: active('release'),
    state: active('state'),
    root: active('root'),
    rejected: rejectedOf(own),
    rejections: rejectionsOf(own),
    report: row.report,
  }
}

/** Gateways of an organisation with what they run, oldest first. */
export async function loadGatewayViews(
  { db, nowMs }: Pick<Dependencies, 'db' | 'nowMs'>,
  organisationId: string,
): Promise<GatewayView[]> {
  const rows = await listGateways(db, organisationId)
  const documents = await listGatewayDocuments(
    db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => describeGateway(row, documents, nowMs()))
}

export function createGatewayListHandlers(dependencies: Dependencies): GatewayHandlers {
  const { db, newId, nowMs } = dependencies
  return {
    async listGateways({ organisationId }) {
      return { items: await loadGatewayViews(dependencies, organisationId) }
    },

    async enrollGateway({ organisationId, actor }, { body }) {
      const { environment } = body
      await requireEnvironment(db, organisationId, environment)
      const root = await loadRootDocument(db, organisationId)
      if (root === undefined) throw new Error(`organisation ${organisationId} has no root document`)
      const token = createSecret('gateway')
      const context = { organisationId, actor, action: 'enrollGateway' }
      const row = await withAudit(dependencies, context, async (transaction) => {
        const number = (await countGateways(transaction, organisationId, environment)) + 1
        const made: GatewayRow = {
          id: newId(),
          organisationId,
          environment,
          name: body.name ?? `${environment}-${number}`,
          tokenHash: hashSecret(token),
          publicKey: null,
          incarnation: null,
          url: null,
          software: null,
          engine: null,
          report: null,
          createdMs: nowMs(),
          lastSeenMs: null,
          connectedUntilMs: null,
          revokedMs: null,
        }
        await insertGateway(transaction, made)
        return {
          result: made,
          audit: { object: `gateway ${made.id}`, detail: { name: made.name, environment } },
        }
      })
      // Stored as its JSON; the payload inside is the text that was signed and stays as it is.
      const trustRoot = encodeTrustRoot(JSON.parse(root.envelope) as Envelope)
      return { id: row.id, name: row.name, environment, token, trustRoot }
    },
  }
}
