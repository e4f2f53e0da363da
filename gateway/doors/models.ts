import { Refusal } from '@signalbox/sdk/contract'
import type { WireFormat } from '../call.ts'
import type { Snapshot } from '../snapshot.ts'
import { isListed, listNames, resolveModel } from '../steps/resolve-model.ts'
import type { Target, TargetTable } from '../targets.ts'

/** A model as the lists show it. */
interface ModelEntry {
  readonly id: string
  readonly name: string
  readonly ownedBy: string
  /** What the catalogue and the workspace know of it, for clients that read more than names. */
  readonly known: Readonly<Record<string, unknown>>
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

/** Members that the formats' own clients pass over: limits, capabilities, and prices in pico-dollars per unit. */
function knownOf({ row, prices, columns, outputTokensMax }: Target): Readonly<Record<string, unknown>> {
  const known = {
    context_length: columns.contextTokens,
    max_output_tokens: outputTokensMax,
    input_modalities: row?.inputs,
    output_modalities: row?.outputs,
    capabilities: row?.capabilities,
    locality: columns.locality,
    pricing_pico_usd: prices?.map(({ inputOver, units }) => ({
      ...(inputOver !== undefined && { input_over: inputOver }),
      ...units,
    })),
    free: row?.free,
    deprecated: row?.deprecated,
    retires: row?.retires,
    successor: row?.successor,
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

function entryOf(id: string, table: TargetTable): ModelEntry {
  const target = table.find(id)
  if (target === undefined) return { id, name: id, ownedBy: 'signalbox', known: {} }
  return {
    id,
    name: target.row?.name ?? id,
    ownedBy: target.row?.provider ?? target.connection.name,
    known: knownOf(target),
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

function openAiModel({ id, ownedBy, known }: ModelEntry, snapshot: Snapshot): object {
  const created = Math.floor(snapshot.release.createdMs / 1000)
  return { id, object: 'model', created, owned_by: ownedBy, signalbox: known }
}

/** Whether the key that asks may use a name. */
type MayUse = (name: string) => boolean

function anthropicModel({ id, name, known }: ModelEntry, snapshot: Snapshot): object {
  const createdAt = new Date(snapshot.release.createdMs).toISOString()
  return { type: 'model', id, display_name: name, created_at: createdAt, signalbox: known }
}

/** Google's clients look for `generateContent` among what a model can be asked for. */
function googleModel({ id, name, known }: ModelEntry): object {
  const { context_length: contextTokens, max_output_tokens: outputTokensMax } = known
  return {
    name: `models/${id}`,
    displayName: name,
    ...(contextTokens !== undefined && { inputTokenLimit: contextTokens }),
    ...(outputTokensMax !== undefined && { outputTokenLimit: outputTokensMax }),
    supportedGenerationMethods: ['generateContent', 'countTokens'],
    signalbox: known,
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

/**
 * The list of models as a format's clients expect it: aliases, then the models of connections that answer; of both only
 * what the key that asks may use.
 */
export function listModels(
  format: WireFormat,
  snapshot: Snapshot,
  table: TargetTable,
  page: Page & { readonly mayUse: MayUse },
): object {
  const all = entriesOf(snapshot, table).filter(({ id }) => page.mayUse(id))
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
 * @throws Refusal `model_not_found` for one that is neither an alias nor known to the catalogue, or not for this key.
 */
export function getModel(
  name: string,
  format: WireFormat,
  {
    snapshot,
    table,
    mayUse,
  }: { readonly snapshot: Snapshot; readonly table: TargetTable; readonly mayUse: MayUse },
): object {
  const resolved = resolveModel(name, format, snapshot, table)
  const [first] = resolved.targets
  if (first === undefined || !isListed(resolved, table)) {
    throw new Refusal('model_not_found', { param: 'model' })
  }
  const id = resolved.alias ?? first.name
  if (!mayUse(id)) throw new Refusal('model_not_found', { param: 'model' })
  const entry = entryOf(id, table)
  if (format === 'gemini') return googleModel(entry)
  return format === 'openai-chat' ? openAiModel(entry, snapshot) : anthropicModel(entry, snapshot)
}
