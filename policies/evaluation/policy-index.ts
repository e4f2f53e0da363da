import type { Facts, PolicyMatch } from '@signalbox/sdk/contract'
import { readsOfMatch } from './cut-facts.ts'
import { compileMatch } from './matches.ts'
import { Memo } from './memo.ts'

/** What the index has to know of a policy. */
export interface Indexed {
  /** Its index in the script. */
  readonly index: number
  readonly kind: 'constraint' | 'route'
  readonly match: PolicyMatch | undefined
}
/** Policies to ask in one call of the sandbox. */
export interface Asked<Policy> {
  /** Names the same policies each time, within a layer; undefined where they were put together for one question. */
  readonly id: string | undefined
  readonly constraints: readonly Policy[]
  /** In the order of asking. */
  readonly routes: readonly Policy[]
  /** The end of the question: which policies. */
  readonly tail: string
}
/** The policies of a layer that a call is about. */
export interface Selection<Policy> {
  readonly id: number | undefined
  readonly all: Asked<Policy>
  /** Where a more specific layer chose already. */
  readonly constraints: Asked<Policy>
  readonly has: (policy: Policy) => boolean
}

/** Facts that a match looks at and that can be cut. */
const matchFacts = ['request.route', 'subject.node.path']
/** Different operations, routes and nodes that are kept resolved. */
const knownLimits = { entriesMax: 4096, charactersMax: 1_000_000 }
/** Different sets of policies that are kept; more of them work, and are put together anew. */
const selectionsMax = 4096

const indexesOf = (policies: readonly Indexed[]) => policies.map(({ index }) => index).join()

/** The end of a question about some policies, by their indexes. */
export function tailOf(constraints: readonly Indexed[], routes: readonly Indexed[]): string {
  return `"c":[${indexesOf(constraints)}],"r":[${indexesOf(routes)}]}`
}

/** A selection for one question, whose answers are not kept. */
export function unkeptSelection<Policy extends Indexed>(policies: readonly Policy[]): Selection<Policy> {
  const constraints = policies.filter(({ kind }) => kind === 'constraint')
  const routes = policies.filter(({ kind }) => kind === 'route')
  return {
    id: undefined,
    all: { id: undefined, constraints, routes, tail: tailOf(constraints, routes) },
    constraints: { id: undefined, constraints, routes: [], tail: tailOf(constraints, []) },
    has: (policy) => policies.includes(policy),
  }
}

interface Entry<Policy> {
  readonly policy: Policy
  readonly appliesTo: (facts: Facts) => boolean
}

function putUnder<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

/**
 * Finds the policies of a layer that a call is about, by operation, route and node, without looking at the others:
 * what a call costs depends on how many are relevant, not on how many there are.
 */
export class PolicyIndex<Policy extends Indexed> {
  /** Asked about every call, or found by nothing but looking: no match, or a glob over routes. */
  readonly #loose: Entry<Policy>[] = []
  readonly #byRoute = new Map<string, Entry<Policy>[]>()
  /** By the first name of the node's path. */
  readonly #byNode = new Map<string, Entry<Policy>[]>()
  readonly #all: Entry<Policy>[] = []
  readonly #order = new Map<Policy, number>()
  readonly #known = new Memo<Selection<Policy>>(knownLimits)
  readonly #selections = new Map<string, Selection<Policy>>()
  readonly #always: Selection<Policy> | undefined
  #count = 0

  /** Policies in the order of asking. */
  constructor(policies: readonly Policy[]) {
    for (const [at, policy] of policies.entries()) {
      const { match } = policy
      const entry = { policy, appliesTo: compileMatch(match) ?? (() => true) }
      const [first] = (match?.node ?? '').split('/').filter((name) => name !== '')
      this.#all.push(entry)
      this.#order.set(policy, at)
      if (match?.route !== undefined && !match.route.includes('*')) {
        putUnder(this.#byRoute, match.route, entry)
      } else if (first !== undefined) putUnder(this.#byNode, first, entry)
      else this.#loose.push(entry)
    }
    const isPlain = policies.every(({ match }) => match === undefined)
    this.#always = isPlain ? this.#selectionOf(policies) : undefined
  }

  /** The policies that a call is about. */
  select(facts: Facts): Selection<Policy> {
    if (this.#always !== undefined) return this.#always
    if (matchFacts.some((path) => facts.truncated.includes(path)))
      return this.#selectionOf(this.#findByHalf(facts))
    const { operation, route } = facts.request
    const key = `${operation} ${route.length} ${route} ${facts.subject.node.path.join('/')}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const selection = this.#selectionOf(this.#find(facts))
    this.#known.set(key, selection)
    return selection
  }

  #find(facts: Facts): Policy[] {
    const [first] = facts.subject.node.path
    const candidates = [
      ...this.#loose,
      ...(this.#byRoute.get(facts.request.route) ?? []),
      ...(first === undefined ? [] : (this.#byNode.get(first) ?? [])),
    ]
    const found = candidates.filter((entry) => entry.appliesTo(facts)).map(({ policy }) => policy)
    return found.sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0))
  }

  /** Half a route or path could match where the whole one does not, or the other way round: all are asked. */
  #findByHalf(facts: Facts): Policy[] {
    const isHalf = ({ match }: Policy) => readsOfMatch(match).some((path) => facts.truncated.includes(path))
    const found = this.#all.filter((entry) => entry.appliesTo(facts) || isHalf(entry.policy))
    return found.map(({ policy }) => policy)
  }

  #selectionOf(policies: readonly Policy[]): Selection<Policy> {
    const constraints = policies.filter(({ kind }) => kind === 'constraint')
    const routes = policies.filter(({ kind }) => kind === 'route')
    const tail = tailOf(constraints, routes)
    const known = this.#selections.get(tail)
    if (known !== undefined) return known
    const id = this.#count++
    const members = new Set(policies)
    const selection: Selection<Policy> = {
      id,
      all: { id: `${id}a`, constraints, routes, tail },
      constraints: { id: `${id}c`, constraints, routes: [], tail: tailOf(constraints, []) },
      has: (policy) => members.has(policy),
    }
    if (this.#selections.size >= selectionsMax) this.#selections.clear()
    this.#selections.set(tail, selection)
    return selection
  }
}
