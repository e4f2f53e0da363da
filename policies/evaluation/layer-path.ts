import {
  type CompiledWorkspace,
  type Connection,
  type Effect,
  type Locality,
  type ModelFilter,
  nativeConnections,
  type PlanNode,
  type TargetNode,
} from '@signalbox/sdk/contract'
import type { ModelColumns } from '../program.ts'
import { orderedTargets, resolvePlan } from './plan-tree.ts'

/** What names mean in a workspace and an environment. */
export interface NameScope {
  readonly models: Readonly<Record<string, readonly string[]>>
  readonly connections: Readonly<Record<string, Connection>>
  readonly prompts: Readonly<Record<string, string>>
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
    prompts: Object.fromEntries(compiled.prompts.map(({ name, digest }) => [name, digest])),
  }
}

/** What a policy filters by. */
export interface FilterColumns {
  readonly target: string
  readonly connection: string
  readonly provider: string
  readonly locality: Locality
  readonly region?: string
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function fitsColumn(value: string | undefined, wanted: string | readonly string[] | undefined): boolean {
  if (wanted === undefined) return true
  if (value === undefined) return false
  return typeof wanted === 'string' ? value === wanted : wanted.includes(value)
}

/** Whether a target has the columns that a filter asks for; what is not known does not match. */
export function fitsFilter(columns: FilterColumns, filter: ModelFilter): boolean {
  return (
    fitsColumn(columns.locality, filter.locality) &&
    fitsColumn(columns.connection, filter.connection) &&
    fitsColumn(columns.provider, filter.provider) &&
    fitsColumn(columns.target, filter.target) &&
    fitsColumn(columns.region, filter.region)
  )
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
    return own(nativeConnections, name)
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

  /** Columns of candidates that nothing else is known of. */
  modelColumns(target: string): ModelColumns {
    return { ...this.columns(target), tier: 'unknown' }
  }

  #node({ target, ...extras }: TargetNode, prompts: NameScope['prompts']): PlanNode | null {
    const targets = this.targets(target)
    const name = extras.prompt?.name
    if (targets === undefined) return null
    if (name === undefined) return orderedTargets(targets, extras)
    const digest = own(prompts, name)
    return digest === undefined ? null : orderedTargets(targets, { ...extras, prompt: { name, digest } })
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
    const { model, fallback = [], patch, prompt } = effect.use
    const targets: string[] = []
    for (const name of [model, ...fallback]) {
      const meant = this.targets(name) ?? (name === asked?.requested ? asked.targets : undefined)
      if (meant === undefined) return null
      targets.push(...meant)
    }
    const digest = prompt === undefined ? undefined : own(scope.prompts, prompt)
    if (prompt !== undefined && digest === undefined) return null
    return orderedTargets(targets, {
      ...(patch !== undefined && { patch }),
      ...(prompt !== undefined && digest !== undefined && { prompt: { name: prompt, digest } }),
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
