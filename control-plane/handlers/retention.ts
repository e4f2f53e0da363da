import {
  type BodyOf,
  type QueryOf,
  Refusal,
  type ReplyOf,
  retentionDefaults,
  type retentionOperations,
} from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Transaction } from '../db/connect.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import { findOwner } from '../find-owner.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { eraseUser } from '../retention/erase-user.ts'
import { withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import { loadReach, loadSubtree } from '../stores/nodes.ts'
import {
  deleteRetentionRow,
  insertRetention,
  listRetention,
  lockRetentionOf,
  type PlacedRetention,
  type RetentionOwner,
  type RetentionRow,
  restartReview,
  updateRetention,
} from '../stores/retention.ts'
import { hourMs, loadLabels, loadUsage, type RollupRange, targetStepMs } from '../stores/rollups.ts'
import { addTotals, decodeTotals, nothing } from '../stores/totals.ts'
import { requireEnvironment } from './environments.ts'

type RetentionHandlers = Handlers<typeof retentionOperations>
type View = ReplyOf<typeof retentionOperations.setRetention>
type Wanted = BodyOf<typeof retentionOperations.setRetention>

const usageDefaultMs = 30 * 86_400_000
const usageRowsDefault = 100
/** Sums that the total is made of. */
const usageRowsMax = 100_000

function viewOf(row: PlacedRetention): View {
  const { id, environment, nodeId, nodePath, keyId, keyName, bodyDays, rowDays, facts, mask } = row
  const { revision, createdMs } = row
  return {
    id,
    ...(environment !== null && { environment }),
    ...(nodeId !== null && { team: { id: nodeId, path: nodePath ?? '' } }),
    ...(keyId !== null && { key: { id: keyId, name: keyName ?? '' } }),
    bodies: bodyDays === null ? 'forever' : bodyDays === 0 ? 'none' : bodyDays,
    rows: rowDays ?? 'forever',
    facts,
    ...(mask !== null && { mask }),
    revision,
    createdMs,
  }
}

/** Days as they are kept, null for ever. @throws Refusal where rows would go before their bodies. */
function daysOf({ bodies, rows }: Wanted): Pick<RetentionRow, 'bodyDays' | 'rowDays'> {
  const bodyDays = bodies === 'forever' ? null : bodies === 'none' ? 0 : bodies
  const least = bodyDays ?? Number.POSITIVE_INFINITY
  const told = rows === 'forever' ? Number.POSITIVE_INFINITY : rows
  const rowDays = told ?? Math.max(retentionDefaults.rowDays, least)
  if (rowDays < least) {
    throw new Refusal('invalid_request', {
      message: 'Rows are kept at least as long as their bodies, which cannot be found without them.',
      param: 'rows',
    })
  }
  return { bodyDays, rowDays: Number.isFinite(rowDays) ? rowDays : null }
}

/** What gateways record of the facts. @throws Refusal for a mask where nothing is masked. */
function factsOf({ facts = 'full', mask }: Wanted): Pick<RetentionRow, 'facts' | 'mask'> {
  if (mask !== undefined && facts !== 'masked') {
    const message = 'mask says what is taken out of facts that are masked: it needs facts "masked".'
    throw new Refusal('invalid_request', { message, param: 'mask' })
  }
  return { facts, mask: mask === undefined ? null : [...new Set(mask)].sort() }
}

/** What a rule says, for the audit log. */
function saidBy({ bodyDays, rowDays, facts, mask }: RetentionRow): object {
  return { bodyDays, rowDays, ...(facts !== 'full' && { facts }), ...(mask !== null && { mask }) }
}

async function ownerOf(
  { db }: Dependencies,
  organisationId: string,
  { environment, team, key }: Wanted,
): Promise<RetentionOwner> {
  if ([environment, team, key].filter((each) => each !== undefined).length !== 1) {
    throw new Refusal('invalid_request', { message: 'Name one of environment, team and key.' })
  }
  if (environment !== undefined) {
    await requireEnvironment(db, organisationId, environment)
    return { environment, nodeId: null, keyId: null }
  }
  const from = { organisationId, what: 'retention rule', permit: undefined } as const
  const { nodeId, keyId } = await findOwner(db, from, { team, key })
  return { environment: null, nodeId, keyId }
}

function checkRevision(before: RetentionRow | undefined, seen: number | undefined): void {
  const now = before?.revision ?? 0
  if (seen === undefined || seen === now) return
  throw new Refusal('conflict', {
    message: `The rule was changed by somebody else: this change was made on revision ${seen}, it is at ${now}.`,
    param: 'revision',
  })
}

async function writeRule(
  tx: Transaction,
  tools: Dependencies,
  wish: { readonly organisationId: string; readonly owner: RetentionOwner; readonly wanted: Wanted },
): Promise<{ before: RetentionRow | undefined; after: RetentionRow }> {
  const { organisationId, owner, wanted } = wish
  const before = await lockRetentionOf(tx, organisationId, owner)
  checkRevision(before, wanted.revision)
  const days = { ...daysOf(wanted), ...factsOf(wanted) }
  if (before !== undefined) {
    const after = { ...before, ...days, revision: before.revision + 1 }
    await updateRetention(tx, after)
    return { before, after }
  }
  const made = { id: tools.newId(), organisationId, createdMs: tools.nowMs(), revision: 1 }
  const after = { ...made, ...owner, ...days }
  await insertRetention(tx, after)
  return { before, after }
}

/** What a gateway is to record stands in the state of every environment. */
async function publishRules({ db, stateWriter }: Dependencies, context: RequestContext) {
  return publishAndAwait(stateWriter, context, async () => {
    const environments = await listEnvironments(db, context.organisationId)
    return Promise.all(environments.map(({ name }) => stateWriter.publishState(context.organisationId, name)))
  })
}

function setRetention(tools: Dependencies): RetentionHandlers['setRetention'] {
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const owner = await ownerOf(tools, organisationId, body)
    const audit = { organisationId, actor, action: 'setRetention' }
    const row = await withAudit(tools, audit, async (tx) => {
      const { before, after } = await writeRule(tx, tools, { organisationId, owner, wanted: body })
      await restartReview(tx, organisationId)
      const detail = { ...owner, before: before === undefined ? null : saidBy(before), after: saidBy(after) }
      return { result: after, audit: { object: `retention ${after.id}`, detail } }
    }).catch((error: unknown) => {
      if (!['environment', 'node', 'key'].some((each) => isUniqueViolation(error, `retention_of_${each}`)))
        throw error
      throw new Refusal('conflict', { message: 'Somebody else has just made this rule.' })
    })
    const pending = await publishRules(tools, context)
    const placed = (await listRetention(tools.db, organisationId)).find(({ id }) => id === row.id)
    return { ...viewOf(placed ?? { ...row, nodePath: null, keyName: null }), ...pending }
  }
}

function deleteRetention(tools: Dependencies): RetentionHandlers['deleteRetention'] {
  return async (context, { params }) => {
    const { organisationId, actor } = context
    await withAudit(tools, { organisationId, actor, action: 'deleteRetention' }, async (tx) => {
      const row = isUuid(params.id) ? await deleteRetentionRow(tx, organisationId, params.id) : undefined
      if (row === undefined) throw new Refusal('not_found', { message: 'There is no such rule.' })
      await restartReview(tx, organisationId)
      const { environment, nodeId, keyId } = row
      const detail = { environment, nodeId, keyId, before: saidBy(row) }
      return { result: undefined, audit: { object: `retention ${row.id}`, detail } }
    })
    return { id: params.id, ...(await publishRules(tools, context)) }
  }
}

/** The sums that are asked for. @throws Refusal for a property without a name, or a time that ends before it begins. */
async function usageRange(
  { db, nowMs }: Dependencies,
  { organisationId, permit }: RequestContext,
  query: QueryOf<typeof retentionOperations.getUsage>,
): Promise<RollupRange> {
  const { by, name, team } = query
  if ((by === 'metadata') !== (name !== undefined)) {
    const message = 'name is the property where by is metadata, and nothing else has one.'
    throw new Refusal('invalid_request', { message, param: 'name' })
  }
  const untilMs = query.untilMs ?? nowMs() + 1
  const kind = by === 'node' ? 'target' : by
  const stepMs = kind === 'target' ? targetStepMs : hourMs
  const fromMs = query.sinceMs ?? untilMs - usageDefaultMs
  const sinceMs = fromMs - (fromMs % stepMs)
  if (sinceMs >= untilMs) {
    throw new Refusal('invalid_request', { message: 'sinceMs must be before untilMs.', param: 'sinceMs' })
  }
  const nodes =
    team === undefined
      ? await loadReach(db, organisationId, permit.reach)
      : await loadSubtree(db, organisationId, await permit.resolve(team))
  return { kind, environment: query.environment, nodes, name, sinceMs, untilMs }
}

function getUsage(tools: Dependencies): RetentionHandlers['getUsage'] {
  return async (context, { query }) => {
    const { organisationId } = context
    const { by, limit = usageRowsDefault } = query
    const range = await usageRange(tools, context, query)
    const limited = { ...range, byNode: by === 'node', limit: usageRowsMax }
    const rows = await loadUsage(tools.db, organisationId, limited)
    const items = rows.map((row) => ({ value: row.value, ...decodeTotals(row) }))
    const shown = items.slice(0, limit)
    const labels = await loadLabels(
      tools.db,
      by,
      shown.map(({ value }) => value),
    )
    return {
      ...{ sinceMs: range.sinceMs, untilMs: range.untilMs },
      totals: items.reduce((sum, { value: _, ...each }) => addTotals(sum, each), nothing),
      items: shown.map((item) => {
        const label = labels.get(item.value)
        return label === undefined ? item : { ...item, label }
      }),
    }
  }
}

/** How long records are kept, whose are erased, and what is left of them: sums. */
export function createRetentionHandlers(tools: Dependencies): RetentionHandlers {
  return {
    async listRetention({ organisationId }) {
      const rules = await listRetention(tools.db, organisationId)
      return { items: rules.map(viewOf), defaults: retentionDefaults }
    },
    setRetention: setRetention(tools),
    deleteRetention: deleteRetention(tools),
    eraseRecords: ({ organisationId, actor }, { body }) =>
      eraseUser(tools, { organisationId, actor, user: body.user }),
    getUsage: getUsage(tools),
  }
}
