import { Refusal } from '@signalbox/sdk/contract'
import type { WireFormat } from '../call.ts'
import type { Snapshot } from '../snapshot.ts'
import { isListed, listNames, resolveModel } from '../steps/resolve-model.ts'
import type { TargetTable } from '../targets.ts'

/** A model as the lists show it. */
interface ModelEntry {
  readonly id: string
  readonly name: string
  readonly ownedBy: string
  readonly contextTokens: number | undefined
  readonly outputTokensMax: number | undefined
}
/** Where a page of the Anthropic list begins and how long it is. */
export interface Page {
  readonly limit: number
  readonly afterId: string | undefined
  readonly beforeId: string | undefined
}

const pageLengthMax = 1000
const pageLengthDefault = 20
const googlePageLengthDefault = 50
const entries = new WeakMap<Snapshot, readonly ModelEntry[]>()

function entryOf(id: string, table: TargetTable): ModelEntry {
  const target = table.find(id)
  if (target === undefined) {
    return { id, name: id, ownedBy: 'signalbox', contextTokens: undefined, outputTokensMax: undefined }
  }
  return {
    id,
    name: target.row?.name ?? id,
    ownedBy: target.row?.provider ?? target.connection.name,
    contextTokens: target.columns.contextTokens,
    outputTokensMax: target.outputTokensMax,
  }
}

function entriesOf(snapshot: Snapshot, table: TargetTable): readonly ModelEntry[] {
  let known = entries.get(snapshot)
  if (known === undefined) {
    known = listNames(snapshot, table).map((name) => entryOf(name, table))
    entries.set(snapshot, known)
  }
  return known
}

/**
 * Reads `limit`, `after_id` and `before_id` of a query, or Google's `pageSize` and `pageToken`. Throws a Refusal
 * `invalid_request` for a wrong limit.
 */
export function readPage(format: WireFormat, query: URLSearchParams): Page {
  const isGoogle = format === 'gemini'
  const param = isGoogle ? 'pageSize' : 'limit'
  const limit = Number(query.get(param) ?? (isGoogle ? googlePageLengthDefault : pageLengthDefault))
  if (!Number.isInteger(limit) || limit < 1 || limit > pageLengthMax) {
    const message = `${param} must be a whole number from 1 to ${pageLengthMax}.`
    throw new Refusal('invalid_request', { message, param })
  }
  if (isGoogle) return { limit, afterId: query.get('pageToken') ?? undefined, beforeId: undefined }
  return { limit, afterId: query.get('after_id') ?? undefined, beforeId: query.get('before_id') ?? undefined }
}

function openAiModel({ id, ownedBy }: ModelEntry, snapshot: Snapshot): object {
  return { id, object: 'model', created: Math.floor(snapshot.release.createdMs / 1000), owned_by: ownedBy }
}

function anthropicModel({ id, name }: ModelEntry, snapshot: Snapshot): object {
  const createdAt = new Date(snapshot.release.createdMs).toISOString()
  return { type: 'model', id, display_name: name, created_at: createdAt }
}

/** Google's clients look for `generateContent` among what a model can be asked for. */
function googleModel({ id, name, contextTokens, outputTokensMax }: ModelEntry): object {
  return {
    name: `models/${id}`,
    displayName: name,
    ...(contextTokens !== undefined && { inputTokenLimit: contextTokens }),
    ...(outputTokensMax !== undefined && { outputTokenLimit: outputTokensMax }),
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }
}

function pageOf(
  all: readonly ModelEntry[],
  { limit, afterId, beforeId }: Page,
): { from: number; to: number } {
  if (beforeId !== undefined) {
    const to = all.findIndex((each) => each.id === beforeId)
    return { from: Math.max(0, to - limit), to: Math.max(0, to) }
  }
  const from = afterId === undefined ? 0 : all.findIndex((each) => each.id === afterId) + 1
  return { from, to: Math.min(all.length, from + limit) }
}

/** The list of models as a format's clients expect it: aliases, then the models of connections that answer. */
export function listModels(format: WireFormat, snapshot: Snapshot, table: TargetTable, page: Page): object {
  const all = entriesOf(snapshot, table)
  if (format === 'openai-chat') {
    return { object: 'list', data: all.map((entry) => openAiModel(entry, snapshot)) }
  }
  const { from, to } = pageOf(all, page)
  const data = all.slice(from, to)
  if (format === 'gemini') {
    const last = to < all.length ? data.at(-1) : undefined
    return { models: data.map(googleModel), ...(last !== undefined && { nextPageToken: last.id }) }
  }
  return {
    data: data.map((entry) => anthropicModel(entry, snapshot)),
    has_more: page.beforeId === undefined ? to < all.length : from > 0,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  }
}

/**
 * One model, by any of its names.
 * @throws Refusal `model_not_found` for one that is neither an alias nor known to the catalogue.
 */
export function getModel(name: string, format: WireFormat, snapshot: Snapshot, table: TargetTable): object {
  const resolved = resolveModel(name, format, snapshot, table)
  const [first] = resolved.targets
  if (first === undefined || !isListed(resolved, table)) {
    throw new Refusal('model_not_found', { param: 'model' })
  }
  const entry = entryOf(resolved.alias ?? first.name, table)
  if (format === 'gemini') return googleModel(entry)
  return format === 'openai-chat' ? openAiModel(entry, snapshot) : anthropicModel(entry, snapshot)
}
