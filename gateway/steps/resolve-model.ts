import { Refusal } from '@signalbox/sdk/contract'
import type { WireFormat } from '../call.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Target, TargetTable } from '../targets.ts'

/** What a model name means here. */
export interface ResolvedModel {
  /** As the caller wrote it. */
  readonly requested: string
  readonly alias: string | undefined
  /** In the order of fallback; at least one. */
  readonly targets: readonly Target[]
}

/** The provider whose models a bare name means, where no catalogue lists it. */
const nativeProvider: Readonly<Record<WireFormat, string>> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
  gemini: 'gemini',
  'vercel-ai': 'openai',
}
const nameLengthMax = 256
const targetsMax = 16
const nearestCount = 3
/** Names that an unknown one is compared with; the rest is not worth the time. */
const comparedMax = 1000
/** Names whose meaning is kept; callers can ask for any number of them. */
const cachedMax = 2048
const known = new WeakMap<Snapshot, Record<WireFormat, Map<string, ResolvedModel>>>()

/**
 * Finds the targets of a model name: an alias, else `connection/model`, else a bare name that a connection's
 * catalogue lists, else the dialect's own vendor.
 * @throws Refusal `model_not_found` with the three nearest names.
 */
export function resolveModel(
  requested: string,
  format: WireFormat,
  snapshot: Snapshot,
  table: TargetTable,
): ResolvedModel {
  let meanings = known.get(snapshot)
  if (meanings === undefined) {
    meanings = {
      'openai-chat': new Map(),
      'openai-responses': new Map(),
      'anthropic-messages': new Map(),
      gemini: new Map(),
      'vercel-ai': new Map(),
    }
    known.set(snapshot, meanings)
  }
  const meaning = meanings[format].get(requested)
  if (meaning !== undefined) return meaning
  const resolved = workOut(requested, format, snapshot, table)
  if (meanings[format].size < cachedMax) meanings[format].set(requested, resolved)
  return resolved
}

function workOut(
  requested: string,
  format: WireFormat,
  snapshot: Snapshot,
  table: TargetTable,
): ResolvedModel {
  const plain = plainName(requested)
  const resolved =
    lookUp(requested, requested, snapshot, table) ??
    lookUp(requested, plain, snapshot, table) ??
    bareName(requested, plain, format, table)
  if (resolved !== undefined) return resolved
  const nearest = nearestNames(plain, snapshot, table)
  throw new Refusal('model_not_found', {
    message: `The model "${shorten(requested)}" is not known here.${
      nearest.length === 0 ? '' : ` Nearest: ${nearest.join(', ')}.`
    }`,
    param: 'model',
  })
}

/** Whether a name stands for something that this gateway lists, not only for what it would pass on unseen. */
export function isListed(resolved: ResolvedModel, table: TargetTable): boolean {
  if (resolved.alias !== undefined) return true
  return resolved.targets.some((target) => target.row !== undefined || table.declared.includes(target.name))
}

/** Every name that callers can use now: aliases, then what is known of the connections that answer. */
export function listNames(snapshot: Snapshot, table: TargetTable): string[] {
  const names = [...snapshot.aliases.keys()]
  for (const name of table.declared) {
    const target = table.find(name)
    if (target !== undefined && target.connection.status !== 'unavailable') names.push(name)
  }
  for (const connection of table.connections.values()) {
    const vendor = table.vendorOf(connection)
    if (vendor === undefined || connection.status === 'unavailable') continue
    for (const model of snapshot.catalogue.list(vendor)) names.push(`${connection.name}/${model.id}`)
  }
  return [...new Set(names)]
}

function plainName(requested: string): string {
  const decoded = requested.includes('%2') ? requested.replace(/%2f/gi, '/') : requested
  return decoded.startsWith('models/') ? decoded.slice('models/'.length) : decoded
}

function lookUp(
  requested: string,
  name: string,
  snapshot: Snapshot,
  table: TargetTable,
): ResolvedModel | undefined {
  if (name.length === 0 || name.length > nameLengthMax) return undefined
  const aliased = snapshot.aliases.get(name)
  if (aliased !== undefined) {
    const targets = aliased.slice(0, targetsMax).flatMap((each) => table.find(each) ?? [])
    return targets.length === 0 ? undefined : { requested, alias: name, targets }
  }
  const slash = name.indexOf('/')
  const connection = slash === -1 ? undefined : table.connections.get(name.slice(0, slash))
  if (connection === undefined) return undefined
  const target = table.find(table.canonicalName(connection, name.slice(slash + 1)))
  return target === undefined ? undefined : { requested, alias: undefined, targets: [target] }
}

function bareName(
  requested: string,
  name: string,
  format: WireFormat,
  table: TargetTable,
): ResolvedModel | undefined {
  if (name.length === 0 || name.length > nameLengthMax || /\s/.test(name)) return undefined
  let native: Target | undefined
  for (const connection of table.connections.values()) {
    const target = table.find(table.canonicalName(connection, name))
    if (target?.row !== undefined) return { requested, alias: undefined, targets: [target] }
    if (native === undefined && connection.provider === nativeProvider[format]) native = target
  }
  // A slash says that a connection was meant; none of that name is here.
  if (native === undefined || name.includes('/')) return undefined
  return { requested, alias: undefined, targets: [native] }
}

function shorten(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80).toWellFormed()}…` : name
}

/** The three names with the fewest changed letters; a target also counts by its model alone. */
function nearestNames(name: string, snapshot: Snapshot, table: TargetTable): string[] {
  const wanted = name.slice(0, 64).toLowerCase()
  return listNames(snapshot, table)
    .slice(0, comparedMax)
    .map((each) => {
      const lower = each.toLowerCase()
      const model = lower.slice(lower.indexOf('/') + 1)
      return { each, distance: Math.min(distance(wanted, lower), distance(wanted, model)) }
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, nearestCount)
    .map(({ each }) => each)
}

/** Levenshtein distance, one row at a time. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const change =
        (previous[column - 1] ?? 0) + (a.charCodeAt(row - 1) === b.charCodeAt(column - 1) ? 0 : 1)
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
