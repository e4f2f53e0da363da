import { type CallRecord, detectorIds, type Facts, type ModelFact } from '@signalbox/sdk/contract'
import { costOf } from '../catalogue/usage-cost.ts'
import { pathsOverlap } from '../evaluation/cut-facts.ts'
import type { World } from './world.ts'

/** Facts of a recorded call as other versions would have seen them. */
export interface CandidateFacts {
  readonly facts: Facts
  /** What had to be added although nobody knows it. */
  readonly assumed: readonly string[]
}

const targetsMax = 16
const modelsMax = 64

/**
 * Why versions cannot be asked about a recorded call: they read something that was masked, or that nobody looked at
 * when the call came. Undefined where they can. Nothing that is not known is ever taken for empty.
 */
export function unknownFact({ body }: CallRecord, facts: Facts, { reads }: World): string | undefined {
  const isRead = (path: string): boolean => reads.some((read) => read === '*' || pathsOverlap(read, path))
  const masked = body.masked?.find(isRead)
  if (masked !== undefined) return `${masked} is masked`
  const { detectors, detectorErrors, sensitivity } = facts.data
  const silent = detectorIds.find(
    (id) => detectors[id] === undefined && !detectorErrors.includes(id) && isRead(`data.detectors.${id}`),
  )
  if (silent !== undefined) return `the detector ${silent} did not run then`
  if (sensitivity === undefined && isRead('data.sensitivity'))
    return 'data.sensitivity was not worked out then'
  const undeclared = body.undeclaredMetadata.find((name) => isRead(`request.metadata.${name}`))
  return undeclared === undefined ? undefined : `request.metadata.${undeclared} was not declared then`
}

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each, at) => each === other[at])

/** What the model name of a call means; null where it means nothing any more. */
function askedTargets(facts: Facts, from: World, to: World): readonly string[] | null {
  const { requested, targets } = facts.request.model
  const [before, after] = [from.names.targets(requested), to.names.targets(requested)]
  // A bare name is found in the catalogue, which is the same for both.
  if (before === undefined && after === undefined) return targets
  if (after === undefined) return null
  return before !== undefined && sameList(before, after) ? targets : after.slice(0, targetsMax)
}

/** Whether a target takes a call as it is: as others of its provider did, else by the name of the dialect. */
function isLossless(target: string, facts: Facts, world: World): boolean {
  const { provider } = world.columns(target)
  const alike = facts.models.find((each) => world.columns(each.target).provider === provider)
  return alike?.lossless ?? facts.request.dialect.startsWith(provider)
}

function modelsFor(facts: Facts, asked: readonly string[], to: World): CandidateFacts['facts']['models'] {
  const known = new Map(facts.models.map((each) => [each.target, each]))
  const names = [...new Set([...asked, ...to.program.candidates])].slice(0, modelsMax)
  return names.map(
    (target): ModelFact =>
      known.get(target) ?? {
        target,
        health: { state: 'up', errorPpm: 0 },
        lossless: isLossless(target, facts, to),
      },
  )
}

function estimateFor(facts: Facts, asked: readonly string[], to: World): Facts['request']['estimate'] {
  const { inputTokens, outputTokens, maxCostNanoUsd } = facts.request.estimate
  const [first = ''] = asked
  if (maxCostNanoUsd === undefined || first === facts.request.model.targets[0]) return facts.request.estimate
  const cost = costOf({ input: inputTokens, output: outputTokens }, to.prices(first))
  if (cost === undefined) return { inputTokens, outputTokens }
  const capped = cost > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(cost)
  return { inputTokens, outputTokens, maxCostNanoUsd: capped }
}

/**
 * The facts that the gateway would have made of a recorded call with other versions: aliases resolved anew, their
 * candidates, the bound of the cost. Null where the name that the caller asked for means nothing any more.
 */
export function factsFor(facts: Facts, from: World, to: World): CandidateFacts | null {
  const asked = askedTargets(facts, from, to)
  if (asked === null) return null
  const { model } = facts.request
  const sameAsked = asked === model.targets
  if (sameAsked && sameList(from.program.candidates, to.program.candidates)) return { facts, assumed: [] }
  const models = modelsFor(facts, asked, to)
  const known = new Set(facts.models.map(({ target }) => target))
  const assumed = models.filter(({ target }) => !known.has(target)).map(({ target }) => `${target} was up`)
  if (sameAsked) return { facts: { ...facts, models }, assumed }
  const { alias: _, ...named } = model
  const isAlias = asked[0] !== model.requested
  const tier = to.columns(asked[0] ?? '').tier as typeof model.tier
  const request = {
    ...facts.request,
    model: { ...named, ...(isAlias && { alias: model.requested }), targets: [...asked], tier },
    estimate: estimateFor(facts, asked, to),
  }
  return { facts: { ...facts, request, models }, assumed }
}
