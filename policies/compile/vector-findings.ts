import type { CompiledPolicy } from '@signalbox/sdk/contract'
import type { FailureKind } from '../evaluation/ask-layer.ts'
import type { InspectedEvaluation } from '../program.ts'
import type { SandboxLimits } from '../sandbox/limits.ts'
import type { PlacedFinding } from './analysis/analysed-workspace.ts'
import type { MadeVector } from './build-vectors.ts'

/** Vectors near their limit in which the rule at fault is looked for; each takes some evaluations per rule. */
const measuredMax = 16

const figure = (count: number): string => count.toLocaleString('en-US')

/** A policy or a rule of it, and how it failed. */
interface Fault {
  readonly policy: CompiledPolicy
  readonly rule: string | undefined
  readonly kind: FailureKind
  readonly message: string
}

/**
 * Looks at golden vectors as they are made, and says which policy, and which rule of it, broke in one or came near
 * the limits of an evaluation: at the place of the rule, with the figure and the limit, once for each.
 */
export class VectorFindings {
  readonly found: PlacedFinding[] = []
  readonly #policies: ReadonlyMap<string, CompiledPolicy>
  readonly #limits: SandboxLimits
  readonly #told = new Set<string>()
  #measured = 0

  constructor(policies: readonly CompiledPolicy[], limits: SandboxLimits) {
    this.#policies = new Map(policies.map((policy) => [policy.id, policy]))
    this.#limits = limits
  }

  watch(vector: MadeVector): void {
    for (const fault of this.#faultsOf(vector.evaluation)) this.#tellOfFault(vector, fault)
    this.#watchFuel(vector)
  }

  #faultsOf({ outcomes }: InspectedEvaluation): Fault[] {
    return outcomes.flatMap(({ failures }) =>
      failures.flatMap(({ policy: { id }, rule, kind, message }) => {
        const policy = this.#policies.get(id)
        return policy === undefined ? [] : [{ policy, rule: rule?.id, kind, message }]
      }),
    )
  }

  #tellOfFault(vector: MadeVector, fault: Fault): void {
    const { policy, kind } = fault
    // A policy that breaks the sandbox does so in most vectors; one is looked into.
    const key = `${policy.id} ${fault.rule ?? ''} ${kind}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    const isFuel = kind === 'timeout'
    // Where it breaks only beside others, the rule that takes most is as near as one can tell.
    const rule =
      fault.rule ?? ruleAtFault(vector, policy, kind) ?? (isFuel ? heaviestRule(vector, policy) : undefined)
    if (isFuel) {
      this.#add({ vector, policy, rule }, 'fuel_exceeded', this.#fuelOf(vector, policy))
    } else if (kind === 'memory') {
      const { memoryBytes } = this.#limits
      const most = `it has ${figure(memoryBytes)} bytes, of which the engine keeps 1.2 MB, and a stack of 40 KiB`
      const what = `takes more memory than one evaluation has (${messageOf(fault)}): ${most}`
      this.#add({ vector, policy, rule }, 'memory_exceeded', what)
    } else {
      this.#add({ vector, policy, rule }, 'rule_failed', `fails: ${messageOf(fault)}`, 'warning')
    }
  }

  #watchFuel(vector: MadeVector): void {
    const { fuel } = vector.evaluation
    const limit = this.#limits.fuel
    if (fuel < limit / 2 || this.#measured >= measuredMax) return
    // One that is over the limit by itself has been told of.
    if (this.#faultsOf(vector.evaluation).some(({ kind }) => kind === 'timeout' || kind === 'memory')) return
    this.#measured++
    const policy = this.#heaviestPolicy(vector)
    if (policy === undefined) return
    const rule = heaviestRule(vector, policy)
    const isOver = fuel >= limit
    const code = isOver ? 'fuel_exceeded' : 'fuel_high'
    const key = `${policy.id} ${rule} ${code}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    const severity = isOver ? undefined : 'warning'
    this.#add({ vector, policy, rule }, code, this.#fuelOf(vector, policy), severity)
  }

  /** What a policy takes by itself, beside what all take together and what they may. */
  #fuelOf({ program, input, evaluation }: MadeVector, { id }: CompiledPolicy): string {
    const limit = this.#limits.fuel
    const hint = 'look for a loop that grows with the facts'
    const { fuel: own } = program.inspect({ ...input, only: id })
    if (own >= limit) return `takes more fuel than the ${figure(limit)} of one evaluation: ${hint}`
    if (evaluation.fuel >= limit) {
      const together = `all policies together more than the ${figure(limit)} of one evaluation`
      return `takes ${figure(own)} fuel, and ${together}: ${hint}`
    }
    const all =
      own === evaluation.fuel ? '' : ` of the ${figure(evaluation.fuel)} that all policies take together`
    return `takes ${figure(own)} fuel${all}; one evaluation has ${figure(limit)}`
  }

  #heaviestPolicy({ program, input, evaluation }: MadeVector): CompiledPolicy | undefined {
    let heaviest: { policy: CompiledPolicy | undefined; fuel: number } = { policy: undefined, fuel: -1 }
    for (const { policy } of evaluation.outcomes) {
      const { fuel } = program.inspect({ ...input, only: policy.id })
      if (fuel > heaviest.fuel) heaviest = { policy: this.#policies.get(policy.id), fuel }
    }
    return heaviest.policy
  }

  #add(
    { vector, policy, rule }: { vector: MadeVector; policy: CompiledPolicy; rule: string | undefined },
    code: string,
    what: string,
    severity?: 'warning',
  ): void {
    const found = policy.rules.find(({ id }) => id === rule)
    const { line, column } = found ?? policy.rules[0] ?? { line: 1, column: 1 }
    const who = found === undefined ? `policy "${policy.id}"` : `rule "${found.id}" of "${policy.id}"`
    const where = `(golden vector "${vector.name}" in ${vector.environment})`
    this.found.push({
      file: policy.file,
      position: { line, column },
      code,
      message: `${who} ${what} ${where}`,
      ...(severity !== undefined && { severity }),
    })
  }
}

/** What failed, without the place that it stands at. */
function messageOf({ message, policy }: Fault): string {
  return message.startsWith(`${policy.file}:`)
    ? message
        .slice(policy.file.length + 1)
        .replace(/^\d+ rule "[^"]*":/, '')
        .trim()
    : message
}

/** What an evaluation of one policy says whose rules from one on throw at once, so that only those before it run. */
function upTo(
  { program, input }: MadeVector,
  { id, rules }: CompiledPolicy,
  count: number,
): InspectedEvaluation {
  const broken = rules.slice(count).map((rule) => rule.id)
  return program.inspect({ ...input, only: id, breaks: { policy: id, rules: broken } })
}

/** The first rule that breaks the sandbox: those before it do not. */
function ruleAtFault(vector: MadeVector, policy: CompiledPolicy, kind: FailureKind): string | undefined {
  const breaks = (count: number): boolean =>
    upTo(vector, policy, count).outcomes.some(({ failures }) =>
      failures.some((failure) => failure.rule === null && failure.kind === kind),
    )
  let [good, bad] = [0, policy.rules.length]
  if (!breaks(bad)) return undefined
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (breaks(middle)) bad = middle
    else good = middle
  }
  return policy.rules[good]?.id
}

/** The rule that adds the most fuel to those before it. */
function heaviestRule(vector: MadeVector, policy: CompiledPolicy): string | undefined {
  let before = 0
  let heaviest: { id: string | undefined; fuel: number } = { id: undefined, fuel: -1 }
  for (const [index, { id }] of policy.rules.entries()) {
    const { fuel } = upTo(vector, policy, index + 1)
    if (fuel - before > heaviest.fuel) heaviest = { id, fuel: fuel - before }
    before = fuel
  }
  return heaviest.id
}
