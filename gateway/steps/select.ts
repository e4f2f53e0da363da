import {
  arrangePlan,
  hashText,
  type Leg,
  type Race,
  type StepLegs,
  targetsInOrder,
} from '@signalbox/policies'
import {
  type Affinity,
  type AffinityKind,
  type Caps,
  type Facts,
  type PlanNode,
  planDepthMax,
  Refusal,
  type Selection,
  type TargetNode,
  type TargetSight,
} from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import { lacksFor } from '../call-needs.ts'
import type { HealthBoard } from '../health/health-board.ts'
import { costOf } from '../prices.ts'
import { promptStart } from '../prompt-start.ts'
import type { Target } from '../targets.ts'

/** A target that will be tried, and what the plan says about it. */
export interface PlannedTarget {
  readonly target: Target
  readonly node: TargetNode
  /** It is started beside others of the same race. */
  readonly race?: Race
  /** It stands for a pipeline: the first target of its last step. */
  readonly steps?: readonly PlannedStep[]
  /** What the call may cost there, as estimated; only in races. */
  readonly costNanoUsd?: number
}
/** A step of a pipeline, and what it tries in order. */
export interface PlannedStep extends Pick<StepLegs, 'id' | 'onlyIf' | 'onFailure'> {
  readonly order: readonly PlannedTarget[]
}
export interface Selected {
  readonly selection: Selection
  /** In the order of trying. */
  readonly order: readonly PlannedTarget[]
  /** What the first passed-over target lacks, for a caller who gets none. */
  readonly missing: { readonly connection: string; readonly credential: string } | undefined
  /** Seconds until one of the targets that are kept from calls is asked again; undefined where none is. */
  readonly retryAfterS?: number
}
/** What a selection knows of the call and of the targets. */
export interface SelectScope {
  readonly find: (name: string) => Target | undefined
  readonly board: HealthBoard
  readonly call: Call
  readonly facts: Pick<Facts, 'seed' | 'subject' | 'session' | 'request'>
  readonly caps: Caps
  readonly nowMs: number
}

const targetsMax = 64

/** What is the same for every call with a plan. Calls that are decided alike share theirs. */
interface KnownPlan {
  /** Its targets, where all that counts is their order. */
  readonly nodes: readonly TargetNode[]
  readonly isPlain: boolean
  readonly kinds: readonly AffinityKind[]
}
const known = new WeakMap<PlanNode, KnownPlan>()

function invalid(detail: string): never {
  throw new Refusal('policy_invalid_decision', { detail })
}

function walk(
  node: PlanNode,
  depth: number,
  into: { nodes: TargetNode[]; kinds: Set<AffinityKind> },
): boolean {
  if (depth > planDepthMax) invalid(`the plan is deeper than ${planDepthMax}`)
  if ('target' in node) {
    if (into.nodes.length < targetsMax) into.nodes.push(node)
    return true
  }
  if ('pipeline' in node) {
    for (const step of node.pipeline) walk(step.node, depth + 1, into)
    return false
  }
  if (node.strategy === 'sticky') into.kinds.add((node.with?.by as AffinityKind | undefined) ?? 'stickyKey')
  if (node.strategy === 'sticky' || node.with?.by === 'stickyKey') into.kinds.add('stickyKey')
  let isPlain = node.strategy === 'ordered' && node.with?.minRemainingPpm === undefined
  for (const child of node.of) isPlain = walk(child, depth + 1, into) && isPlain
  return isPlain
}

function knownPlan(plan: PlanNode): KnownPlan {
  let found = known.get(plan)
  if (found === undefined) {
    const into = { nodes: [], kinds: new Set<AffinityKind>() }
    const isPlain = walk(plan, 1, into)
    found = { isPlain, nodes: into.nodes, kinds: [...into.kinds] }
    known.set(plan, found)
  }
  return found
}

function affinityOf(kinds: readonly AffinityKind[], { facts, call }: SelectScope): Affinity | undefined {
  if (kinds.length === 0) return undefined
  const { subject, session } = facts
  const affinity: Affinity = {}
  for (const kind of kinds) {
    if (kind === 'prompt') affinity.prompt = promptStart(call)
    const text = {
      stickyKey: subject.stickyKey,
      session: session?.id,
      user: subject.userId,
      prompt: undefined,
    }[kind]
    if (text !== undefined) affinity[kind] = hashText(text)
  }
  return affinity
}

function costAt(target: Target, { facts }: SelectScope): number | undefined {
  const { inputTokens, outputTokens } = facts.request.estimate
  const cost = costOf({ input: inputTokens, output: outputTokens }, target.prices)
  return cost === undefined
    ? undefined
    : Number(cost > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : cost)
}

/** How all targets of a plan look now, each once. */
function look(nodes: readonly TargetNode[], isPlain: boolean, scope: SelectScope): Map<string, TargetSight> {
  const lacks = nodes.length < 2 ? undefined : lacksFor(scope.call, scope.caps)
  const sights = new Map<string, TargetSight>()
  for (const { target: name } of nodes) {
    if (sights.has(name)) continue
    const target = scope.find(name)
    if (target === undefined) {
      sights.set(name, { target: name, state: 'unavailable', reason: 'unknown connection' })
      continue
    }
    const unfit = lacks?.(target)
    const costNanoUsd = isPlain ? undefined : costAt(target, scope)
    sights.set(name, {
      ...scope.board.sightOf(target),
      target: name,
      ...(unfit !== undefined && { unfit }),
      ...(costNanoUsd !== undefined && { costNanoUsd }),
    })
  }
  return sights
}

/** The targets of a plan in order, where nothing is known that speaks against any; undefined where something is. */
function selectPlain(
  { nodes }: KnownPlan,
  { find, facts, board, call, caps }: SelectScope,
): Selected | undefined {
  if (!board.isCalm || (nodes.length > 1 && lacksFor(call, caps) !== undefined)) return undefined
  const order: PlannedTarget[] = []
  for (const node of nodes) {
    const target = find(node.target)
    if (target === undefined || target.connection.status === 'unavailable') return undefined
    order.push({ target, node })
  }
  const selection = { seed: facts.seed, order: nodes.map(({ target }) => target), skipped: [] }
  return { selection, order, missing: undefined }
}

/**
 * Picks inside a plan: a pure function of the tree, the seed, what the call keeps to and how the targets look, which
 * all stand in the record. Targets that cannot be used are passed over with the reason.
 * @throws Refusal `policy_invalid_decision` for a plan that cannot be executed.
 */
export function select(plan: PlanNode, scope: SelectScope): Selected {
  const facts = knownPlan(plan)
  const plain = facts.isPlain ? selectPlain(facts, scope) : undefined
  if (plain !== undefined) return plain
  const { seed } = scope.facts
  const sights = look(facts.nodes, facts.isPlain, scope)
  const affinity = affinityOf(facts.kinds, scope)
  const { legs, skipped } = arrangePlan(plan, {
    seed,
    sightOf: (target) => sights.get(target),
    affinity: affinity ?? {},
  })
  const selection: Selection = {
    seed,
    order: targetsInOrder(legs).slice(0, targetsMax),
    skipped: skipped.slice(0, targetsMax),
    health: [...sights.values()],
    ...(affinity !== undefined && { affinity }),
  }
  const retryAtMs = legs.length > 0 ? undefined : earliestRetry(sights, scope)
  return {
    selection,
    order: legs.flatMap((leg) => planned(leg, sights, scope) ?? []),
    missing: missingOf(sights, scope),
    ...(retryAtMs !== undefined && { retryAfterS: Math.max(1, Math.ceil((retryAtMs - scope.nowMs) / 1000)) }),
  }
}

function planned(
  leg: Leg,
  sights: ReadonlyMap<string, TargetSight>,
  scope: SelectScope,
): PlannedTarget | undefined {
  const { node, race } = leg
  const target = scope.find(node.target)
  if (target === undefined) return undefined
  const costNanoUsd = race === undefined ? undefined : sights.get(node.target)?.costNanoUsd
  const steps = leg.steps?.map(({ legs, ...step }) => ({
    ...step,
    order: legs.flatMap((each) => planned(each, sights, scope) ?? []),
  }))
  return {
    target,
    node,
    ...(race !== undefined && { race }),
    ...(costNanoUsd !== undefined && { costNanoUsd }),
    ...(steps !== undefined && { steps }),
  }
}

function missingOf(sights: ReadonlyMap<string, TargetSight>, { find }: SelectScope): Selected['missing'] {
  for (const name of sights.keys()) {
    const connection = find(name)?.connection
    if (connection?.status !== 'unavailable') continue
    return { connection: connection.name, credential: connection.missing ?? 'credential' }
  }
  return undefined
}

function earliestRetry(
  sights: ReadonlyMap<string, TargetSight>,
  { find, board }: SelectScope,
): number | undefined {
  const times = [...sights.values()].flatMap(({ target: name, state }) => {
    const target = state === 'down' ? find(name) : undefined
    return target === undefined ? [] : (board.of(target).retryAtMs() ?? [])
  })
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Why a selection without targets cannot serve the call. */
export function refusalOfEmpty({ missing, selection, retryAfterS }: Selected): Refusal {
  const detail = selection.skipped.map((each) => `${each.target}: ${each.reason}`).join(', ')
  if (retryAfterS !== undefined) {
    const message = 'The provider does not answer at present, and no other may be asked.'
    return new Refusal('upstream_unavailable', { status: 503, message, retryAfterS, detail })
  }
  if (missing === undefined) {
    return new Refusal('policy_invalid_decision', { detail: `no usable target; ${detail}` })
  }
  return new Refusal('connection_unavailable', {
    message: `The connection "${missing.connection}" has no credential: ${missing.credential} is not set.`,
  })
}
