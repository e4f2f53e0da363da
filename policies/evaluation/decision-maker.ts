import { Decision, type Facts, type PolicyResult } from '@signalbox/sdk/contract'
import { canonicalJson, describeViolations, digestOf, fits, violationsOf } from '@signalbox/sdk/node'
import type { Evaluation } from '../program.ts'
import type { LayerSaid } from './ask-layer.ts'
import { type Combined, combine, refuseAll, type Said } from './combine.ts'
import type { Layer, LayerPolicy } from './layer.ts'
import type { LayerPath } from './layer-path.ts'
import { Memo } from './memo.ts'
import type { Selection } from './policy-index.ts'
import { resultsOf } from './policy-results.ts'

/** Most calls are decided alike: they share one decision, with its checks, its rows and its digest. */
const knownLimits = { entriesMax: 4096, charactersMax: 4_000_000 }
const messageLengthMax = 512

/** A layer on the path of a call, what of it the call is about, and what that said, if it was asked. */
export interface LayerTurn {
  readonly index: number
  readonly layer: Layer
  readonly selection: Selection<LayerPolicy>
  readonly said: LayerSaid | undefined
}
/** All that an evaluation says but what it cost. Frozen: calls share it. */
export type Decided = Pick<
  Evaluation,
  'decision' | 'decisionJson' | 'decisionDigest' | 'policies' | 'failure'
>

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}

/**
 * Decisions are made from parts that were checked one by one; what they come to together may still be over a limit of
 * the schema, such as more guardrails than a call can have, and must not go out.
 */
function checked(combined: Combined): Combined {
  if (fits(Decision, combined.decision)) return combined
  const what = describeViolations(violationsOf(Decision, combined.decision))
  return refuseAll(`not a decision: ${what}`.slice(0, messageLengthMax))
}

/** Puts together what the layers of a call said. */
export class DecisionMaker {
  readonly #known = new Memo<Decided>(knownLimits)

  /** Turns in the order of asking, most specific layer first. */
  decide(turns: readonly LayerTurn[], facts: Facts, path: LayerPath): Decided {
    const key = keyOf(turns, facts)
    const known = key === undefined ? undefined : this.#known.get(key)
    if (known !== undefined) return known
    const decided = deepFreeze(this.#work(turns, facts, path))
    if (key !== undefined) this.#known.set(key, decided)
    return decided
  }

  #work(turns: readonly LayerTurn[], facts: Facts, path: LayerPath): Decided {
    const rootFirst = [...turns].reverse()
    const said: Said = {
      constraints: rootFirst.flatMap((turn) => turn.said?.constraints ?? []),
      routes: turns.flatMap((turn) => turn.said?.routes ?? []),
    }
    const { decision, failure, routeFailure } = checked(combine(said, facts, path))
    const applies = (policy: LayerPolicy) => turns.some(({ selection }) => selection.has(policy))
    const policies: PolicyResult[] = resultsOf(said, {
      layers: rootFirst.map(({ layer }) => layer),
      applies,
      routeFailure,
    })
    const decisionJson = canonicalJson(decision)
    return {
      decision,
      decisionJson,
      decisionDigest: digestOf(decisionJson),
      policies,
      ...(failure !== undefined && { failure }),
    }
  }
}

/** Names all that a decision depends on: who was asked, what they said, and what model the caller asked for. */
function keyOf(turns: readonly LayerTurn[], facts: Facts): string | undefined {
  const { requested, targets } = facts.request.model
  let key = ''
  for (const { index, selection, said } of turns) {
    if (selection.id === undefined || (said !== undefined && said.id === undefined)) return undefined
    key += `${index} ${selection.id} ${said?.id ?? '-'} `
  }
  // Lengths keep the texts apart.
  key += `${requested.length} ${requested}`
  for (const target of targets) key += ` ${target.length} ${target}`
  return key
}
