import {
  type CompiledWorkspace,
  type Connection,
  type Effect,
  type Facts,
  hostConnections,
  type Locality,
  type ModelFilter,
  nativeConnections,
  type PlanNode,
  type PromptReference,
  type TargetNode,
} from '@signalbox/sdk/contract'
import type { ModelColumns } from '../program.ts'
import { variableProblem } from '../prompts/prompt-variables.ts'
import { orderedTargets, resolvePlan } from './plan-tree.ts'

/** What names mean in a workspace and an environment. */
export interface NameScope {
  readonly models: Readonly<Record<string, readonly string[]>>
  readonly connections: Readonly<Record<string, Connection>>
  readonly prompts: Readonly<Record<string, KnownPrompt>>
}
/** What a plan that names a prompt is checked against. */
export interface KnownPrompt {
  readonly digest: string
  /** Undefined in a version from before prompts were applied: its plans give no values, and decide as they did. */
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/** Names of a version with the overrides of an environment. */
export function namesOf(compiled: CompiledWorkspace, environment: string): NameScope {
  const overrides = compiled.environments[environment]
  const connections: Record<string, Connection> = { ...compiled.connections }
  for (const [name, change] of Object.entries(overrides?.connections ?? {})) {
    const declared = compiled.connections[name] ?? nativeConnections[name]
    if (declared !== undefined) connections[name] = { ...declared, ...change }
  }
  return {
    models: { ...compiled.models, ...overrides?.models },
    connections,
    prompts: Object.fromEntries(
      compiled.prompts.map(({ name, digest, variables, messages }) => [
        name,
        { digest, variables: messages === undefined ? undefined : variables },
      ]),
    ),
  }
}

/** What a policy filters by. */
export interface FilterColumns {
  readonly target: string
  readonly connection: string
  readonly provider: string
  readonly locality: Locality
  readonly region?: string
  /** Share that is left of the provider's rate limits; it changes from call to call. */
  readonly remainingPpm?: number
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function fitsColumn(value: string | undefined, wanted: string | readonly string[] | undefined): boolean {
  if (wanted === undefined) return true
  if (value === undefined) return false
  return typeof wanted === 'string' ? value === wanted : wanted.includes(value)
}

/**
 * Whether a target has the columns that a filter asks for; what is not known does not match. Of the provider's limits
 * enough is left where nobody says otherwise.
 */
export function fitsFilter(columns: FilterColumns, filter: ModelFilter): boolean {
  return (
    fitsColumn(columns.locality, filter.locality) &&
    fitsColumn(columns.connection, filter.connection) &&
    fitsColumn(columns.provider, filter.provider) &&
    fitsColumn(columns.target, filter.target) &&
    fitsColumn(columns.region, filter.region) &&
    (columns.remainingPpm ?? 1_000_000) >= (filter.minRemainingPpm ?? 0)
  )
}

type NamedPrompt = string | { readonly name: string; readonly variables?: Readonly<Record<string, unknown>> }

/** The prompt that a plan names, with its digest; or what is wrong with it. */
function resolvePrompt(named: NamedPrompt, prompts: NameScope['prompts']): PromptReference | string {
  const { name, variables } = typeof named === 'string' ? { name: named } : named
  const known = own(prompts, name)
  if (known === undefined) return `there is no prompt "${name}"`
  const problem =
    known.variables === undefined ? undefined : variableProblem(known.variables, variables ?? {})
  if (problem !== undefined) return `prompt "${name}": ${problem.message}`
  // Each was just checked to be a value.
  const values = variables as PromptReference['variables']
  return { name, digest: known.digest, ...(values !== undefined && { variables: values }) }
}

/** What is wrong with the prompts of an effect; undefined where they are good. */
export function promptFault(effect: Effect, scope: NameScope): string | undefined {
  const named: NamedPrompt[] = []
  if ('use' in effect && effect.use.prompt !== undefined) named.push(effect.use.prompt)
  if ('plan' in effect) {
    resolvePlan(effect.plan, (node) => {
      if (node.prompt !== undefined) named.push(node.prompt)
      return node
    })
  }
  return named.map((each) => resolvePrompt(each, scope.prompts)).find((each) => typeof each === 'string')
}

/** The workspaces that decide a call, and what names mean there: the nearest workspace that has a name counts. */
export class LayerPath {
  /** Indexes of the layers, root first. */
  readonly layers: readonly number[]
  readonly #nearestFirst: readonly NameScope[]
  readonly #plans = new WeakMap<object, { plan: PlanNode | null }>()

  constructor(layers: readonly number[], names: readonly NameScope[]) {
    this.layers = layers
    this.#nearestFirst = layers
      .map((layer) => names[layer])
      .filter((scope) => scope !== undefined)
      .reverse()
  }

  connection(name: string): Connection | undefined {
    for (const scope of this.#nearestFirst) {
      const connection = own(scope.connections, name)
      if (connection !== undefined) return connection
    }
    return own(nativeConnections, name) ?? own(hostConnections, name)
  }

  /** Targets that an alias or `connection/model` means; undefined where it means nothing. */
  targets(name: string): readonly string[] | undefined {
    for (const scope of this.#nearestFirst) {
      const targets = own(scope.models, name)
      if (targets !== undefined) return targets
    }
    const slash = name.indexOf('/')
    const isTarget = slash > 0 && slash < name.length - 1 && !/\s/.test(name)
    return isTarget && this.connection(name.slice(0, slash)) !== undefined ? [name] : undefined
  }

  /** Columns to filter a target by, from its connection. */
  columns(target: string): FilterColumns {
    const name = target.slice(0, target.indexOf('/'))
    const { provider = '', locality = 'cloud', region } = this.connection(name) ?? {}
    return { target, connection: name, provider, locality, ...(region !== undefined && { region }) }
  }

  /** Those columns for one call, whose facts say what is left of the provider's limits. */
  columnsIn(facts: Pick<Facts, 'models'>): (target: string) => FilterColumns {
    return (target) => {
      const remainingPpm = facts.models.find((each) => each.target === target)?.health.remainingPpm
      const columns = this.columns(target)
      return remainingPpm === undefined ? columns : { ...columns, remainingPpm }
    }
  }

  /** Columns of candidates that nothing else is known of. */
  modelColumns(target: string): ModelColumns {
    return { ...this.columns(target), tier: 'unknown' }
  }

  #node({ target, prompt, ...others }: TargetNode, prompts: NameScope['prompts']): PlanNode | null {
    const targets = this.targets(target)
    if (targets === undefined) return null
    if (prompt === undefined) return orderedTargets(targets, others)
    const resolved = resolvePrompt(prompt, prompts)
    return typeof resolved === 'string' ? null : orderedTargets(targets, { ...others, prompt: resolved })
  }

  /**
   * The plan that `use` or `plan` means; null where a name in it means nothing. `asked`: what the caller asked for
   * and what that means, for a policy that hands the name on.
   */
  plan(
    effect: Effect,
    scope: NameScope,
    asked?: { readonly requested: string; readonly targets: readonly string[] },
  ): PlanNode | null {
    if ('plan' in effect) return resolvePlan(effect.plan, (node) => this.#node(node, scope.prompts))
    if (!('use' in effect) || typeof effect.use.model !== 'string') return null
    const { model, fallback = [], patch, prompt, timeouts, retries } = effect.use
    const targets: string[] = []
    for (const name of [model, ...fallback]) {
      const meant = this.targets(name) ?? (name === asked?.requested ? asked.targets : undefined)
      if (meant === undefined) return null
      targets.push(...meant)
    }
    const resolved = prompt === undefined ? undefined : resolvePrompt(prompt, scope.prompts)
    if (typeof resolved === 'string') return null
    return orderedTargets(targets, {
      ...(patch !== undefined && { patch }),
      ...(resolved !== undefined && { prompt: resolved }),
      ...(timeouts !== undefined && { timeouts }),
      ...(retries !== undefined && { retries }),
    })
  }

  /** `plan` of an effect that is the same object in every call, worked out once. */
  fixedPlan(effect: Effect, scope: NameScope): PlanNode | null {
    const known = this.#plans.get(effect)
    if (known !== undefined) return known.plan
    const plan = this.plan(effect, scope)
    this.#plans.set(effect, { plan })
    return plan
  }
}
