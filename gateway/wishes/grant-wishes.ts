import { dataPolicies } from '@signalbox/policies'
import { type Decision, Refusal } from '@signalbox/sdk/contract'
import type { HealthBoard } from '../health/health-board.ts'
import type { ResolvedModel } from '../steps/resolve-model.ts'
import type { PlannedTarget, Selected } from '../steps/select.ts'
import type { Target, TargetTable } from '../targets.ts'
import type { Wishes } from './wishes.ts'

const targetsMax = 16
const policies = new Map(dataPolicies.map((each) => [each.name, each]))

/** The models that are asked for: the one that is named, then those to fall back to. What means nothing is left out. */
export function withModels(
  model: ResolvedModel,
  wishes: Wishes | undefined,
  resolve: (name: string) => ResolvedModel,
): ResolvedModel {
  if (wishes === undefined || wishes.models.length === 0) return model
  const targets = [...model.targets]
  for (const { name } of wishes.models) {
    for (const target of resolvedOr(name, resolve)) {
      if (targets.length < targetsMax && !targets.some((each) => each.name === target.name))
        targets.push(target)
    }
  }
  return { ...model, targets }
}

function resolvedOr(name: string, resolve: (name: string) => ResolvedModel): readonly Target[] {
  try {
    return resolve(name).targets
  } catch (error) {
    if (error instanceof Refusal) return []
    throw error
  }
}

/** What other gateways call a provider, where that is not its name here. */
const otherNames: Readonly<Record<string, string>> = {
  azure: 'azure-openai',
  'amazon-bedrock': 'bedrock',
  'google-ai-studio': 'gemini',
  google: 'gemini',
  'google-vertex': 'vertex',
  'vertex-ai': 'vertex',
  'x-ai': 'xai',
  mistralai: 'mistral',
  'mistral-ai': 'mistral',
  'together-ai': 'together',
  'fireworks-ai': 'fireworks',
}

/** Whether a target is of one of these: a connection, a provider, or its vendor; what follows a slash is a region. */
function isOf({ connection, provider, row }: Target, names: readonly string[]): boolean {
  const own = [connection.name, connection.provider, provider.id, row?.provider]
  return names.some((name) => {
    const [slug = ''] = name.toLowerCase().split('/')
    return own.includes(slug) || own.includes(otherNames[slug] ?? slug)
  })
}

function keeps(target: Target, wishes: Wishes, table: TargetTable): boolean {
  const { only, ignore, inputPicoMax, outputPicoMax, noTraining, noRetention } = wishes
  if (only !== undefined && only.length > 0 && !isOf(target, only)) return false
  if (ignore !== undefined && isOf(target, ignore)) return false
  const units = target.prices?.[0]?.units
  // What costs nobody knows what is not within a price.
  if (inputPicoMax !== undefined && !((units?.input ?? Number.NaN) <= inputPicoMax)) return false
  if (outputPicoMax !== undefined && !((units?.output ?? Number.NaN) <= outputPicoMax)) return false
  if (!(noTraining || noRetention) || target.connection.locality === 'on-prem') return true
  // What a vendor has not said is not granted.
  const policy = policies.get(table.vendorOf(target.connection) ?? target.connection.provider)
  if (noTraining && policy?.trainsOnData !== false) return false
  return !noRetention || policy?.retentionDays === 0
}

function scoreOf({ target }: PlannedTarget, sort: Wishes['sort'], board: HealthBoard): number {
  const sight = board.sightOf(target)
  const units = target.prices?.[0]?.units
  if (sort === 'price') return units?.input === undefined ? Infinity : units.input + (units.output ?? 0)
  return (sort === 'latency' ? sight.firstTokenMs : sight.tokenUs) ?? Infinity
}

function inOrder(
  order: readonly PlannedTarget[],
  wishes: Wishes,
  board: HealthBoard,
): readonly PlannedTarget[] {
  const { sort, order: first } = wishes
  const rank = ({ target }: PlannedTarget): number => {
    const at = first?.findIndex((name) => isOf(target, [name])) ?? -1
    return at === -1 ? Number.MAX_SAFE_INTEGER : at
  }
  if (first !== undefined && first.length > 0) return order.toSorted((a, b) => rank(a) - rank(b))
  if (sort === undefined) return order
  const scored = order.map((each) => ({ each, score: scoreOf(each, sort, board) }))
  return scored.toSorted((a, b) => (a.score === b.score ? 0 : a.score - b.score)).map(({ each }) => each)
}

/** Without fallbacks: the providers that the caller named, in his order, or else the first target alone. */
function withoutBackups(kept: readonly PlannedTarget[], { order = [] }: Wishes): readonly PlannedTarget[] {
  const named = kept.filter(({ target }) => isOf(target, order))
  return named.length === 0 ? kept.slice(0, 1) : named
}

/**
 * The selection inside what the caller wants, and in his order. Never more than the policies left.
 * @throws Refusal `no_eligible_model` where nothing is left.
 */
export function grantWishes(
  selected: Selected,
  wishes: Wishes | undefined,
  { table, board }: { readonly table: TargetTable; readonly board: HealthBoard },
): Selected {
  if (wishes === undefined || selected.order.length === 0) return selected
  const kept = inOrder(
    selected.order.filter(({ target }) => keeps(target, wishes, table)),
    wishes,
    board,
  )
  if (kept.length === 0) {
    const message = 'No target is left that both the policies and the request allow.'
    throw new Refusal('no_eligible_model', { message, param: 'provider' })
  }
  const order = wishes.alone ? withoutBackups(kept, wishes) : kept
  const wished = order.map(({ node }) => node.target)
  const isSame = wished.join('\n') === selected.order.map(({ node }) => node.target).join('\n')
  return isSame ? selected : { ...selected, order, selection: { ...selected.selection, wished } }
}

/** The decision, for a caller who wants nothing of the call to be lost. */
export function decisionFor(decision: Decision, wishes: Wishes | undefined): Decision {
  return wishes?.isStrict === true ? { ...decision, fidelity: 'strict' } : decision
}

/** Wishes that nobody granted: what is not known here, and models that the policies did not choose. */
export function ignoredWishes(
  wishes: Wishes | undefined,
  asked: readonly Target[],
  { order }: Selected,
  resolve: (name: string) => ResolvedModel,
): readonly string[] {
  if (wishes === undefined) return []
  const isTried = (target: Target): boolean => order.some((each) => each.target.name === target.name)
  const isAsked = (target: Target): boolean => asked.some((each) => each.name === target.name)
  const lost = wishes.alone
    ? []
    : wishes.models.filter(({ name }) => {
        const targets = resolvedOr(name, resolve)
        return !targets.some((each) => isAsked(each) && isTried(each))
      })
  return [...wishes.ignored, ...lost.map(({ path }) => path)]
}
