import type { PlanNode, PriceRow, TargetNode } from '@signalbox/sdk/contract'
import { shiftDecimal } from '../../catalogue/shift-decimal.ts'
import { orderedTargets } from '../../evaluation/plan-tree.ts'
import type { AnalysedEnvironment, AnalysedWorkspace } from './analysed-workspace.ts'
import { and, type Formula, not } from './formula.ts'
import { type RoutePlan, routePlans } from './route-plans.ts'
import { isPossible } from './satisfy.ts'

/** Input that figures are for where nobody says another. */
export const inputTokensUsual = 1000
const picoPerNano = 1000n

/** The most that a call can cost by one plan: every target is tried and billed, each with its longest answer. */
export interface CostBound {
  /** The route and rule that say the plan; absent where a call goes to the alias that it asks for. */
  readonly route?: string
  readonly rule?: string
  readonly alias?: string
  /** Environment with overrides that the figure is for; empty for the workspace as it is. */
  readonly environment: string
  readonly inputTokens: number
  readonly attempts: number
  /** Nano-dollars as a decimal text; null where a price or a longest answer is not known. */
  readonly costNanoUsd: string | null
  /** Targets without a price. */
  readonly unpriced: readonly string[]
  /** Targets whose answers nothing limits. */
  readonly unlimited: readonly string[]
}
interface Attempt {
  readonly node: TargetNode
  /** Tokens of answers of earlier steps, which are input here. */
  readonly inputTokens: number
  readonly outputTokens: number | undefined
}

function modelOf(target: string, { path }: AnalysedEnvironment, { catalogue }: AnalysedWorkspace) {
  const { connection, provider, locality } = path.columns(target)
  const id = target.slice(target.indexOf('/') + 1)
  return catalogue.find(provider, id) ?? (locality === 'cloud' ? catalogue.find(connection, id) : undefined)
}

/** The row that holds for a call of so many input tokens: the last one whose condition it meets. */
function rowFor(rows: readonly PriceRow[], inputTokens: number): PriceRow['units'] | undefined {
  return rows.findLast(({ inputOver }) => inputOver === undefined || inputTokens > inputOver)?.units
}

function unitsOf(target: string, inputTokens: number, around: Around): PriceRow['units'] | undefined {
  const own = around.workspace.compiled.catalogue[target]
  const rows = modelOf(target, around.environment, around.workspace)?.prices ?? []
  const known = rowFor(rows, inputTokens)
  if (own === undefined) return known
  const units = { ...known }
  for (const unit of ['input', 'output', 'cacheWrite5m', 'cacheWrite1h'] as const) {
    const usd = own[unit]
    if (usd !== undefined) units[unit] = shiftDecimal(usd, 6) ?? Math.ceil(usd * 1e6)
  }
  return units
}

interface Around {
  readonly workspace: AnalysedWorkspace
  readonly environment: AnalysedEnvironment
  /** The smallest cap that always holds. */
  readonly outputTokensMax: number | undefined
}

/** The longest answer: what plan, caps and model allow, and in any case what the context has room for. */
function outputOf(node: TargetNode, inputTokens: number, around: Around): number | undefined {
  const { workspace, environment, outputTokensMax } = around
  const own = workspace.compiled.catalogue[node.target]
  const model = modelOf(node.target, environment, workspace)
  const context = own?.contextTokens ?? model?.contextTokens
  const room = context === undefined ? undefined : Math.max(0, context - inputTokens)
  const limits = [
    node.patch?.maxOutputTokens,
    outputTokensMax,
    own?.outputTokensMax ?? model?.outputTokensMax,
    room,
  ]
  const known = limits.filter((limit) => limit !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function attemptsOf(node: PlanNode, inputTokens: number, around: Around): Attempt[] {
  if ('target' in node) return [{ node, inputTokens, outputTokens: outputOf(node, inputTokens, around) }]
  if ('strategy' in node) return node.of.flatMap((child) => attemptsOf(child, inputTokens, around))
  let input = inputTokens
  return node.pipeline.flatMap((step) => {
    const attempts = attemptsOf(step.node, input, around)
    input += Math.max(0, ...attempts.map(({ outputTokens }) => outputTokens ?? 0))
    return attempts
  })
}

/** Text only: the dearest way that a token of text can be counted. */
function costOf({ node, inputTokens, outputTokens = 0 }: Attempt, around: Around): bigint | undefined {
  const units = unitsOf(node.target, inputTokens, around)
  if (units?.input === undefined || units.output === undefined) return undefined
  const input = Math.max(units.input, units.cacheWrite5m ?? 0, units.cacheWrite1h ?? 0)
  const output = Math.max(units.output, units.reasoning ?? 0)
  const tokens = BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output)
  return tokens + BigInt(units.requests ?? 0)
}

function boundOf(plan: PlanNode, inputTokens: number, around: Around) {
  const attempts = attemptsOf(plan, inputTokens, around)
  const costs = attempts.map((attempt) => costOf(attempt, around))
  const pico = costs.reduce<bigint>((sum, cost) => sum + (cost ?? 0n), 0n)
  const unique = (targets: readonly Attempt[]) => [...new Set(targets.map(({ node }) => node.target))]
  const unpriced = unique(attempts.filter((_, index) => costs[index] === undefined))
  const isFree = (_: Attempt, index: number): boolean => costs[index] === 0n
  const unlimited = unique(
    attempts.filter((attempt, index) => attempt.outputTokens === undefined && !isFree(attempt, index)),
  ).filter((target) => !unpriced.includes(target) && !isFreeOutput(target, inputTokens, around))
  const isKnown = unpriced.length === 0 && unlimited.length === 0
  const costNanoUsd = isKnown ? String((pico + picoPerNano - 1n) / picoPerNano) : null
  return {
    environment: around.environment.name,
    inputTokens,
    attempts: attempts.length,
    costNanoUsd,
    unpriced,
    unlimited,
  }
}

function isFreeOutput(target: string, inputTokens: number, around: Around): boolean {
  const units = unitsOf(target, inputTokens, around)
  return units?.output === 0 && (units.reasoning ?? 0) === 0
}

/** The smallest cap of constraints that holds for every call of a kind. */
function capFor(when: Formula, { policies }: AnalysedWorkspace): number | undefined {
  const caps = policies.flatMap(({ rules, asked }) =>
    rules.flatMap((rule) =>
      (rule.effects ?? []).flatMap((effect) => {
        const tokens = 'cap' in effect ? effect.cap.maxOutputTokens : undefined
        return tokens !== undefined && !isPossible(when, not(and([asked, rule.when]))) ? [tokens] : []
      }),
    ),
  )
  return caps.length === 0 ? undefined : Math.min(...caps)
}

function boundOfRoute(workspace: AnalysedWorkspace, inputTokens: number, plan: RoutePlan): CostBound {
  const { environment } = plan
  const around = { workspace, environment, outputTokensMax: capFor(plan.when, workspace) }
  return { route: plan.policy.id, rule: plan.rule.id, ...boundOf(plan.plan, inputTokens, around) }
}

/**
 * A bound on what one call of text can cost, for each rule of a route that names its plan, and for each alias: the sum
 * of all attempts. Images, audio, server tools and more than one answer are not in it.
 */
export function worstCaseCosts(workspace: AnalysedWorkspace, inputTokens = inputTokensUsual): CostBound[] {
  const plans = routePlans(workspace).map((plan) => boundOfRoute(workspace, inputTokens, plan))
  const outputTokensMax = capFor(true, workspace)
  const aliases = workspace.environments.flatMap((environment) =>
    Object.entries(environment.names.models).flatMap(([alias, targets]) => {
      const plan = orderedTargets(targets)
      const around = { workspace, environment, outputTokensMax }
      return plan === null ? [] : [{ alias, ...boundOf(plan, inputTokens, around) }]
    }),
  )
  return [...plans, ...aliases]
}
