import type { ModelColumns } from '@signalbox/policies'
import { type Facts, factsBytesMax, type ModelFact } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import { detect } from '../detect.ts'
import type { HealthBoard } from '../health/health-board.ts'
import { costOf } from '../prices.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Target, TargetTable } from '../targets.ts'
import { wantedSignals } from '../wanted-signals.ts'

/** What facts are made of. */
export interface FactsInput {
  readonly id: string
  readonly nowMs: number
  /** Unsigned 32-bit number drawn by the host. */
  readonly seed: number
  readonly environment: { readonly name: string; readonly region: string }
  /** What is known of the budgets that the call is under; undefined where there are none. */
  readonly budget?: Pick<Facts['budget'], 'levels' | 'tightest'> | undefined
  readonly call: Call
  readonly model: {
    readonly requested: string
    readonly alias: string | undefined
    readonly targets: readonly Target[]
  }
  readonly claims: {
    readonly metadata: Readonly<Record<string, string | number | boolean>>
    readonly route: string
  }
  /** The prompt that the caller named, which stands in the call. */
  readonly prompt?: { readonly name: string; readonly version: number } | undefined
  readonly sessionId: string | undefined
  readonly client: string | undefined
  readonly caller: {
    readonly key: { readonly id: string; readonly name: string }
    readonly place: {
      readonly node: { readonly id: string }
      readonly path: readonly string[]
      readonly team: { readonly id: string; readonly name: string } | undefined
      /** Indexes of the workspaces that decide; all if left out. */
      readonly layers?: readonly number[] | undefined
    }
  }
  readonly degraded: boolean
  /** What was seen of the candidates; all are up if left out. */
  readonly health?: Pick<HealthBoard, 'version' | 'of'> | undefined
}
export interface BuiltFacts {
  readonly facts: Facts
  /** Static columns of `facts.models`, in the same order. */
  readonly columns: readonly ModelColumns[]
}

const modelsMax = 64
const toolsMax = 64
const toolNameMax = 64
const targetsMax = 16
const pathMax = 16
const truncatedMax = 32
/** Output that is assumed where neither the caller nor the catalogue names a maximum. */
const outputTokensAssumed = 1024
/** Roughly right for text in any language and any tokenizer; an estimate, never a bound. */
const bytesPerToken = 4
/** JSON of the facts without any of its texts, lists and models. */
const frameBytes = 1600
const modelFrameBytes = 190
/** Signals of all detectors with all their kinds. */
const dataBytes = 1600

/** Cuts texts and lists to their maxima and notes which. Not in pieces of characters, and always well-formed. */
class Cutter {
  readonly truncated: string[] = []

  text(value: string, lengthMax: number, path: string): string {
    if (value.length > lengthMax) {
      this.note(path)
      return value.slice(0, lengthMax).toWellFormed()
    }
    return value.isWellFormed() ? value : value.toWellFormed()
  }

  list<T>(values: readonly T[], countMax: number, path: string): readonly T[] {
    if (values.length <= countMax) return values
    this.note(path)
    return values.slice(0, countMax)
  }

  note(path: string): void {
    if (this.truncated.length < truncatedMax && !this.truncated.includes(path)) this.truncated.push(path)
  }
}

/** The candidates of a model name; the same for every call that uses it while the snapshot holds. */
interface Candidates {
  readonly format: Call['format']
  readonly healthVersion: number
  readonly facts: readonly ModelFact[]
  readonly columns: readonly ModelColumns[]
}
const known = new WeakMap<FactsInput['model'], Candidates>()

// Members of every object stand in the order of their names: the plain JSON of facts is then also their canonical
// JSON (RFC 8785), and their digest costs no sorting.

function healthOf(target: Target, { health, nowMs }: FactsInput): ModelFact['health'] {
  const { status } = target.connection
  if (status === 'unavailable') return { errorPpm: 0, state: 'unavailable' }
  if (health === undefined || status === 'simulated') return { errorPpm: 0, state: 'up' }
  const seen = health.of(target)
  return { errorPpm: seen.errorPpm, ...seen.quota.remaining, state: seen.state(nowMs) }
}

/** What was asked for first, then what policies can name: each once. */
function candidatesOf(input: FactsInput, named: readonly string[], table: TargetTable): Candidates {
  const { format } = input.call
  const cached = known.get(input.model)
  const healthVersion = input.health?.version ?? 0
  if (cached?.format === format && cached.healthVersion === healthVersion) return cached
  const facts: ModelFact[] = []
  const columns: ModelColumns[] = []
  const add = (name: string, target: Target | undefined): void => {
    if (target === undefined || facts.length >= modelsMax) return
    if (facts.some((each) => each.target === name)) return
    const lossless = target.provider.format === format
    facts.push({ health: healthOf(target, input), lossless, target: name })
    columns.push(target.columns)
  }
  for (const target of input.model.targets) add(target.name, target)
  for (const name of named) add(name, table.find(name))
  const candidates = { format, healthVersion, facts, columns }
  known.set(input.model, candidates)
  return candidates
}

function estimateOf(call: Call, target: Target | undefined): Facts['request']['estimate'] {
  const inputTokens = Math.ceil(call.raw.length / bytesPerToken)
  const outputMax = call.summary.maxOutputTokens ?? target?.outputTokensMax
  const outputTokens = outputMax ?? outputTokensAssumed
  if (outputMax === undefined) return { inputTokens, outputTokens }
  const cost = costOf({ input: inputTokens, output: outputTokens }, target?.prices)
  if (cost === undefined) return { inputTokens, outputTokens }
  const maxCostNanoUsd = cost > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(cost)
  return { inputTokens, maxCostNanoUsd, outputTokens }
}

function requestOf(input: FactsInput, cut: Cutter): Facts['request'] {
  const { call, model } = input
  const { summary } = call
  const tools = cut.list(summary.toolNames, toolsMax, 'request.tools.names')
  const targets = cut.list(model.targets, targetsMax, 'request.model.targets')
  return {
    bytes: call.raw.length,
    ...(input.client !== undefined && { client: cut.text(input.client, 128, 'request.client') }),
    dialect: call.dialect,
    estimate: estimateOf(call, model.targets[0]),
    id: input.id,
    messages: {
      chars: summary.messages.chars,
      count: summary.messages.count,
      hasImages: summary.messages.hasImages,
      hasSystem: summary.messages.hasSystem,
      lastRole: cut.text(summary.messages.lastRole, 32, 'request.messages.lastRole'),
    },
    metadata: input.claims.metadata as Facts['request']['metadata'],
    model: {
      ...(model.alias !== undefined && { alias: model.alias }),
      requested: cut.text(model.requested, 256, 'request.model.requested'),
      targets: targets.map((target) => target.name),
      tier: model.targets[0]?.row?.tier ?? 'unknown',
    },
    operation: call.operation,
    params: {
      ...(summary.choices !== undefined && { choices: summary.choices }),
      ...(summary.maxOutputTokens !== undefined && { maxOutputTokens: summary.maxOutputTokens }),
      ...(summary.reasoningLevel !== undefined && {
        reasoningLevel: cut.text(summary.reasoningLevel, 16, 'request.params.reasoningLevel'),
      }),
      ...(summary.responseFormat !== undefined && { responseFormat: summary.responseFormat }),
      ...(summary.temperaturePpm !== undefined && { temperaturePpm: summary.temperaturePpm }),
    },
    ...(input.prompt !== undefined && { prompt: { name: input.prompt.name, version: input.prompt.version } }),
    route: cut.text(input.claims.route, 128, 'request.route'),
    stream: call.stream,
    tools: {
      count: summary.toolNames.length,
      names: tools.map((name) => cut.text(name, toolNameMax, 'request.tools.names')),
    },
  }
}

function subjectOf(input: FactsInput, organisationId: string, cut: Cutter): Facts['subject'] {
  const { key, place } = input.caller
  const userId =
    input.call.summary.userId === undefined
      ? undefined
      : cut.text(input.call.summary.userId, 256, 'subject.userId')
  return {
    auth: 'key',
    keyId: key.id,
    keyName: cut.text(key.name, 128, 'subject.keyName'),
    node: { id: place.node.id, path: [...cut.list(place.path, pathMax, 'subject.node.path')] },
    organisationId,
    stickyKey: userId ?? input.sessionId ?? key.id,
    ...(place.team !== undefined && { team: { id: place.team.id, name: place.team.name } }),
    ...(userId !== undefined && { userId }),
  }
}

/** Upper guess of the JSON's size from the parts that callers can make long; exact only where it is needed. */
function guessBytes(facts: Facts): number {
  let chars = facts.request.model.requested.length + facts.subject.keyName.length
  for (const name of facts.request.tools.names) chars += name.length + 3
  for (const name in facts.request.metadata) {
    const value = facts.request.metadata[name]
    chars += name.length + 6 + (typeof value === 'string' ? value.length : 24)
  }
  chars += (facts.subject.userId?.length ?? 0) * 2 + (facts.session?.id.length ?? 0)
  let names = 0
  for (const model of facts.models) names += model.target.length
  for (const name of facts.request.model.targets) names += name.length + 3
  // A character is at most six bytes in JSON (`\u0000`); names of models are not made of such.
  const data = facts.data.scanned === undefined ? 0 : dataBytes
  return data + frameBytes + facts.models.length * modelFrameBytes + chars * 6 + names * 3
}

/** Takes away what is least missed until the facts fit: tool names, the last candidates, then metadata. */
function fit(facts: Facts, askedCount: number, cut: Cutter): void {
  const tooLong = (): boolean => Buffer.byteLength(JSON.stringify(facts)) > factsBytesMax
  if (guessBytes(facts) <= factsBytesMax || !tooLong()) return
  if (facts.request.tools.names.length > 0) {
    facts.request.tools.names = []
    cut.note('request.tools.names')
  }
  const keepMin = Math.max(1, askedCount)
  while (tooLong() && facts.models.length > keepMin) {
    facts.models = facts.models.slice(0, Math.max(keepMin, facts.models.length >> 1))
    cut.note('models')
  }
  facts.request.metadata = { ...facts.request.metadata }
  for (const name of Object.keys(facts.request.metadata).reverse()) {
    if (!tooLong()) break
    delete facts.request.metadata[name]
    cut.note(`request.metadata.${name}`)
  }
}

/** What detectors say of the text; nothing is looked at that no policy of the caller's layers reads. */
function dataOf({ call, caller, claims }: FactsInput, snapshot: Snapshot, cut: Cutter): Facts['data'] {
  const { layers } = caller.place
  const { versions } = snapshot
  const wanted = wantedSignals(
    layers === undefined ? versions : layers.flatMap((index) => versions[index] ?? []),
  )
  if (wanted.detectors.length === 0) return { detectorErrors: [], detectors: {} }
  const data = detect(call, wanted, claims.metadata.sensitivity)
  if (data.scanned !== undefined && data.scanned.chars < data.scanned.totalChars) cut.note('data.detectors')
  return data
}

/** Makes the facts of a call: everything that policies may know of it, every text and list within its maximum. */
export function buildFacts(input: FactsInput, snapshot: Snapshot, table: TargetTable): BuiltFacts {
  const cut = new Cutter()
  const candidates = candidatesOf(input, snapshot.program.candidates, table)
  const facts: Facts = {
    budget: { asOfMs: input.nowMs, degraded: false, levels: [], ...input.budget },
    data: dataOf(input, snapshot, cut),
    degraded: input.degraded,
    environment: {
      name: input.environment.name,
      region: cut.text(input.environment.region, 128, 'environment.region'),
    },
    models: candidates.facts as ModelFact[],
    nowMs: input.nowMs,
    phase: 'route',
    request: requestOf(input, cut),
    schema: 'facts/1',
    seed: input.seed,
    ...(input.sessionId !== undefined && { session: { id: input.sessionId.toWellFormed() } }),
    subject: subjectOf(input, snapshot.release.organisationId, cut),
    truncated: cut.truncated,
  }
  fit(facts, input.model.targets.length, cut)
  const { length } = facts.models
  return {
    facts,
    columns: length === candidates.columns.length ? candidates.columns : candidates.columns.slice(0, length),
  }
}
