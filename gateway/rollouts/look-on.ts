import { decisiveRule, type Evaluation, type ModelColumns } from '@signalbox/policies'
import type { Decision, Facts, ModelFact, ShadowResult } from '@signalbox/sdk/contract'
import { logBug } from '../log-bug.ts'
import type { GatewayParts } from '../parts.ts'
import type { ReleasedShadow, Snapshot } from '../snapshot.ts'
import { resolveModel } from '../steps/resolve-model.ts'
import { type Target, targetsOf } from '../targets.ts'
import type { Trail } from '../trail.ts'

type Parts = Pick<GatewayParts, 'providers' | 'log'>
interface Seen {
  readonly facts: Facts
  readonly columns: readonly ModelColumns[]
}

const million = 1_000_000
const modelsMax = 64
const targetsMax = 16
const resultsMax = 16
const changedMax = 16

/** What the caller's name for a model means with another version; undefined where it means nothing there. */
function targetsOfName(
  { asked }: Trail,
  snapshot: Snapshot,
  { providers }: Parts,
): readonly Target[] | undefined {
  if (asked === undefined) return undefined
  try {
    return resolveModel(asked.model, asked.format, snapshot, targetsOf(snapshot, providers)).targets
  } catch {
    return undefined
  }
}

const namesOf = (targets: readonly Target[]): string[] => targets.map(({ name }) => name).slice(0, targetsMax)

/**
 * The facts that the call would have had with another version: what its aliases mean there, and the targets that its
 * policies can name beside those that were looked at. Undefined where the model is not known there.
 */
function factsWith(
  trail: Trail & { readonly facts: Facts },
  shadow: Snapshot,
  parts: Parts,
): Seen | undefined {
  const { facts, snapshot, asked } = trail
  const before = snapshot && targetsOfName(trail, snapshot, parts)
  const after = targetsOfName(trail, shadow, parts)
  if (after === undefined) return undefined
  const sameTargets = before !== undefined && namesOf(before).join('\n') === namesOf(after).join('\n')
  const wanted = sameTargets ? facts.request.model.targets : namesOf(after)
  const table = targetsOf(shadow, parts.providers)
  const known = new Map(facts.models.map((model) => [model.target, model]))
  const models: ModelFact[] = []
  const columns: ModelColumns[] = []
  for (const name of new Set([...wanted, ...shadow.program.candidates])) {
    const target = table.find(name)
    if (target === undefined || models.length >= modelsMax) continue
    const lossless = target.provider.format === asked?.format
    models.push(known.get(name) ?? { health: { errorPpm: 0, state: 'up' }, lossless, target: name })
    columns.push(target.columns)
  }
  const model = { ...facts.request.model, targets: [...wanted], tier: after[0]?.row?.tier ?? 'unknown' }
  return { facts: { ...facts, models, request: { ...facts.request, model } }, columns }
}

function changedMembers(before: Decision, after: Decision): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const [one, other]: Record<string, unknown>[] = [before, after]
  return [...names].filter((name) => JSON.stringify(one?.[name]) !== JSON.stringify(other?.[name])).sort()
}

function resultOf(shadow: ReleasedShadow, live: Evaluation, said: Evaluation): ShadowResult {
  const decisive = decisiveRule(said)
  const same = live.decisionDigest === said.decisionDigest
  return {
    deployment: shadow.deploymentId,
    version: shadow.version,
    same,
    decisionDigest: said.decisionDigest,
    effect: said.failure === undefined ? said.decision.effect : 'error',
    ...(decisive?.policy !== undefined && { policy: decisive.policy }),
    ...(decisive?.rule != null && { rule: decisive.rule }),
    changed: same ? [] : changedMembers(live.decision, said.decision).slice(0, changedMax),
  }
}

/**
 * What versions that look on would have said of a call that stable versions decided, when its caller has the answer.
 * Asks the sandbox and nothing else: no budget, no guardrail, no provider.
 */
export function lookOn(trail: Trail, parts: Parts): ShadowResult[] {
  const { snapshot, evaluation, facts, layers } = trail
  const shadows = snapshot?.shadows
  if (shadows === undefined || evaluation === undefined || facts === undefined) return []
  const results: ShadowResult[] = []
  for (const shadow of shadows.slice(0, resultsMax)) {
    if (layers !== undefined && !layers.includes(shadow.at)) continue
    if (facts.seed % million >= shadow.ppm) continue
    try {
      const other = shadow.snapshot()
      const seen = factsWith({ ...trail, facts }, other, parts)
      if (seen === undefined) {
        const { deploymentId: deployment, version } = shadow
        results.push({ deployment, version, same: false, effect: 'error', changed: ['model'] })
        continue
      }
      const input = { facts: seen.facts, models: seen.columns, params: other.params }
      const said = other.program.evaluate(layers === undefined ? input : { ...input, layers })
      results.push(resultOf(shadow, evaluation, said))
    } catch (error) {
      logBug(parts.log, error, trail.id)
    }
  }
  return results
}
