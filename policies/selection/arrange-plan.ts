import {
  type Affinity,
  type AffinityKind,
  type PipelineStep,
  type PlanNode,
  planDepthMax,
  type StrategyNode,
  type TargetNode,
  type TargetSight,
} from '@signalbox/sdk/contract'
import { drawBelow, drawOrder, hashText, mix, orderFor } from './draws.ts'

/** Legs of one race start one after the other, each `afterMs` after the one before; the first answer counts. */
export interface Race {
  readonly id: number
  readonly afterMs: number
  /** What all legs but the first may cost together, in nano-dollars; undefined: no limit of its own. */
  readonly extraCostNanoUsd: number | undefined
}
/** A step of a pipeline, and what it tries. */
export interface StepLegs extends Pick<PipelineStep, 'id' | 'onlyIf' | 'onFailure'> {
  readonly legs: readonly Leg[]
}
/** One thing to try: a target, or a pipeline, which `node` stands for by the first target of its last step. */
export interface Leg {
  readonly node: TargetNode
  readonly race?: Race
  readonly steps?: readonly StepLegs[]
}
/** All that a selection goes by, beside the tree. */
export interface ArrangeInput {
  /** Unsigned 32-bit number drawn by the host. */
  readonly seed: number
  /** How a target looks; one without a sight is up. */
  readonly sightOf: (target: string) => TargetSight | undefined
  readonly affinity: Affinity
}
export interface Arranged {
  readonly legs: readonly Leg[]
  readonly skipped: readonly { readonly target: string; readonly reason: string }[]
}

/** How good a leg is now; the higher, the worse. */
const standing = { good: 0, demoted: 1, unfit: 2, down: 3, unavailable: 4 } as const
/** More targets than this are not looked at. */
const targetsMax = 64
/** An answer of this many tokens is what latency is compared by. */
const tokensCompared = 256
/** When a race's next leg starts, where neither plan nor experience says it: see `patience`. */
const patienceMs = 2000
const patienceMsMin = 250

const textOf = (node: PlanNode): string => {
  if ('target' in node) return node.target
  const parts = 'strategy' in node ? node.of : node.pipeline.map((step) => step.node)
  return `(${parts.map(textOf).join()})`
}

class Arranger {
  readonly #input: ArrangeInput
  #nodes = 0
  #targets = 0

  constructor(input: ArrangeInput) {
    this.#input = input
  }

  arrange(node: PlanNode, depth = 1): readonly Leg[] {
    if (depth > planDepthMax) throw new RangeError(`the plan is deeper than ${planDepthMax}`)
    const id = this.#nodes++
    if ('target' in node) return this.#targets++ < targetsMax ? [{ node }] : []
    if ('pipeline' in node) return this.#pipeline(node.pipeline, depth)
    const parts = node.of.map((each) => this.arrange(each, depth + 1))
    if (node.strategy === 'hedged') return this.#hedge(node, parts, id)
    return this.#orderOf(node, parts, id).flatMap((index) => parts[index] ?? [])
  }

  standingOf(leg: Leg): number {
    if (leg.steps !== undefined) {
      const needed = leg.steps.filter(({ onFailure }, at) => at === 0 || onFailure !== 'returnPrevious')
      return Math.max(...needed.map(({ legs }) => Math.min(...legs.map((each) => this.standingOf(each)))))
    }
    const sight = this.#input.sightOf(leg.node.target)
    if (sight === undefined) return standing.good
    if (sight.state === 'unavailable' || sight.state === 'down') return standing[sight.state]
    if (sight.unfit !== undefined) return standing.unfit
    const { sharePpm } = sight
    if (sharePpm === undefined) return standing.good
    const draw = drawBelow(1_000_000, mix(this.#input.seed, hashText(leg.node.target)))
    return draw < sharePpm ? standing.good : standing.demoted
  }

  /** Takes away what cannot serve the call, and puts last what should not have to. */
  settle(legs: readonly Leg[]): Arranged {
    const skipped: { target: string; reason: string }[] = []
    const ranked = legs.map((leg) => ({ leg, rank: this.standingOf(leg) }))
    const isFit = ranked.some(({ rank }) => rank !== standing.unfit && rank !== standing.unavailable)
    const kept = ranked.filter(({ leg, rank }) => {
      if (rank < standing.unfit || (rank === standing.unfit && !isFit)) return true
      for (const target of targetsOfLeg(leg)) {
        const { reason, unfit, state } = this.#input.sightOf(target) ?? {}
        skipped.push({ target, reason: reason ?? unfit ?? state ?? 'another step cannot be served' })
      }
      return false
    })
    const first = kept.filter(({ rank }) => rank !== standing.demoted)
    const last = kept.filter(({ rank }) => rank === standing.demoted)
    return { legs: [...first, ...last].map(({ leg }) => leg), skipped }
  }

  #pipeline(steps: readonly PipelineStep[], depth: number): readonly Leg[] {
    const planned = steps.map((step) => ({ ...step, legs: this.arrange(step.node, depth + 1) }))
    const node = planned.at(-1)?.legs[0]?.node
    return node === undefined ? [] : [{ node, steps: planned }]
  }

  /** The leg that a part is judged by: its first good one. */
  #head(part: readonly Leg[], { with: said }: StrategyNode): Leg | undefined {
    const needed = typeof said?.minRemainingPpm === 'number' ? said.minRemainingPpm : 0
    return part.find((leg) => this.standingOf(leg) === standing.good && this.#remainingPpm(leg) >= needed)
  }

  /** The share that is left of the tightest of the limits that a leg is under. */
  #remainingPpm(leg: Leg): number {
    const shares = targetsOfLeg(leg).map((target) => this.#input.sightOf(target)?.remainingPpm ?? 1_000_000)
    return Math.min(...shares)
  }

  /** Indexes of the parts in the order of trying; those with no good target come last. */
  #orderOf(node: StrategyNode, parts: readonly (readonly Leg[])[], id: number): number[] {
    const all = parts.map((_, index) => index)
    if (node.strategy === 'ordered' && node.with?.minRemainingPpm === undefined) return all
    const heads = parts.map((part) => this.#head(part, node))
    const good = all.filter((index) => heads[index] !== undefined)
    const ordered = this.#rank(node, good, { parts, heads, id })
    return [...ordered, ...all.filter((index) => heads[index] === undefined)]
  }

  #rank(
    node: StrategyNode,
    good: readonly number[],
    known: { parts: readonly (readonly Leg[])[]; heads: readonly (Leg | undefined)[]; id: number },
  ): number[] {
    const { weights, by, tolerancePpm } = node.with ?? {}
    const { heads, id } = known
    const draw = mix(this.#input.seed, id)
    const pick = (order: readonly number[]): number[] => order.flatMap((at) => good[at] ?? [])
    const sightOf = (index: number): TargetSight | undefined =>
      this.#input.sightOf(heads[index]?.node.target ?? '')
    switch (node.strategy) {
      case 'weighted': {
        const list = Array.isArray(weights) ? weights : []
        const seed = by === 'stickyKey' ? mix(this.#input.affinity.stickyKey ?? 0, id) : draw
        return pick(
          drawOrder(
            good.map((index) => Number(list[index] ?? 1)),
            seed,
          ),
        )
      }
      case 'sticky': {
        const { affinity } = this.#input
        const key = affinity[by as AffinityKind] ?? affinity.stickyKey ?? 0
        const names = good.map((index) => textOf(node.of[index] ?? node))
        return pick(orderFor(key, names))
      }
      case 'lowestCost':
        return byScore(good, (index) => sightOf(index)?.costNanoUsd, { tolerancePpm, draw })
      case 'lowestLatency':
        return byScore(good, (index) => latencyOf(sightOf(index)), { tolerancePpm, draw })
      case 'leastBusy': {
        const runningIn = (index: number): number =>
          [...new Set((known.parts[index] ?? []).flatMap(targetsOfLeg))].reduce(
            (sum, target) => sum + (this.#input.sightOf(target)?.running ?? 0),
            0,
          )
        return byScore(good, runningIn, { tolerancePpm: 0, draw })
      }
      default:
        return [...good]
    }
  }

  /** The first good target of each part races; what else the parts have comes after. */
  #hedge(node: StrategyNode, parts: readonly (readonly Leg[])[], id: number): readonly Leg[] {
    const { with: said } = node
    const runners = parts
      .flatMap((part) => this.#head(part, node) ?? [])
      .filter(({ steps }) => steps === undefined)
    const afterMs = typeof said?.afterMs === 'number' ? said.afterMs : this.#patience(runners[0])
    const extra = said?.extraCostNanoUsd
    const race: Race = { id, afterMs, extraCostNanoUsd: typeof extra === 'number' ? extra : undefined }
    const others = parts.flat().filter((leg) => !runners.includes(leg))
    return [...runners.map((leg) => ({ node: leg.node, race })), ...others.map(withoutRace)]
  }

  /** Twice what the first target usually takes to its first token. */
  #patience(first: Leg | undefined): number {
    const usual = first === undefined ? undefined : this.#input.sightOf(first.node.target)?.firstTokenMs
    return usual === undefined ? patienceMs : Math.max(patienceMsMin, usual * 2)
  }
}

function withoutRace({ race: _, ...leg }: Leg): Leg {
  return leg
}

function targetsOfLeg({ node, steps }: Leg): string[] {
  if (steps === undefined) return [node.target]
  return steps.flatMap(({ legs }) => legs.flatMap(targetsOfLeg))
}

/** In milliseconds. What nobody has measured of late is asked first, by one call at a time; the others leave it. */
function latencyOf(sight: TargetSight | undefined): number | undefined {
  if (sight?.firstTokenMs === undefined) return (sight?.running ?? 0) === 0 ? 0 : undefined
  return sight.firstTokenMs + ((sight.tokenUs ?? 0) * tokensCompared) / 1000
}

/**
 * The lowest score first, what has none last. Those within the tolerance of the best are equally good: which of them
 * comes first is drawn. Without a tolerance equal ones keep their order, unless it is 0.
 */
function byScore(
  indexes: readonly number[],
  scoreOf: (index: number) => number | undefined,
  { tolerancePpm, draw }: { readonly tolerancePpm: unknown; readonly draw: number },
): number[] {
  const scored = indexes.map((index) => ({ index, score: scoreOf(index) ?? Number.POSITIVE_INFINITY }))
  scored.sort((a, b) => (a.score === b.score ? a.index - b.index : a.score - b.score))
  const best = scored[0]?.score ?? 0
  if (typeof tolerancePpm !== 'number' || !Number.isFinite(best)) return scored.map(({ index }) => index)
  const limit = best + (best * tolerancePpm) / 1_000_000
  const equal = scored.filter(({ score }) => score <= limit).map(({ index }) => index)
  const turned = drawOrder(
    equal.map(() => 1),
    draw,
  ).flatMap((at) => equal[at] ?? [])
  return [...turned, ...scored.slice(equal.length).map(({ index }) => index)]
}

/**
 * What is tried of a plan, in order: a pure function of the tree, the seed, the sights and the affinity, which all
 * stand in the record.
 * @throws RangeError for a tree that is too deep.
 */
export function arrangePlan(plan: PlanNode, input: ArrangeInput): Arranged {
  const arranger = new Arranger(input)
  const { legs, skipped } = arranger.settle(arranger.arrange(plan))
  const left: { target: string; reason: string }[] = [...skipped]
  const settled = legs.map((leg) => {
    if (leg.steps === undefined) return leg
    const steps = leg.steps.map((step) => {
      const own = arranger.settle(step.legs)
      left.push(...own.skipped)
      return { ...step, legs: own.legs }
    })
    const usable = steps.filter((step) => step.legs.length > 0)
    const node = usable.at(-1)?.legs[0]?.node ?? leg.node
    return { node, steps: usable }
  })
  return { legs: settled, skipped: left }
}

/** Targets in the order of trying; of a pipeline those of its steps. */
export function targetsInOrder(legs: readonly Leg[]): string[] {
  return legs.flatMap(targetsOfLeg)
}
