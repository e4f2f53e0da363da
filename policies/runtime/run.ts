import { effectsOf, type Prepared, type PreparedRule } from './prepare.ts'
import { takeTrace } from './trace.ts'

const messageCharactersMax = 300

function messageOf(error: unknown): string {
  try {
    return String(error).slice(0, messageCharactersMax)
  } catch {
    return 'threw something that has no text'
  }
}

/** Out of memory is no matter of one rule: nothing after it can be trusted to have what it needs. */
function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof Error && error.constructor.name === 'InternalError' && error.message === 'out of memory'
  )
}

/** How a rule ended: the JSON of its entry in `matched` or `broken`; null where it did not match. */
interface Ended {
  readonly matched?: string
  readonly broken?: string
  readonly threw?: true
  readonly continues: boolean
}

/** Effects in JSON. What a rule says is data: without a JSON form it is invalid. */
function sayEffects(policy: Prepared, index: number, rule: PreparedRule, facts: object): Ended {
  const said = rule.then(facts)
  let json: string | undefined
  try {
    json = JSON.stringify(effectsOf(said, policy.id))
  } catch (error) {
    return { broken: `[${index},"invalid",${JSON.stringify(messageOf(error))}]`, continues: false }
  }
  const continues = !Array.isArray(said) && Object(said).continue === true
  return { matched: `[${index},${json}]`, continues }
}

function runRule(policy: Prepared, index: number, rule: PreparedRule, facts: object): Ended | null {
  try {
    if (rule.when !== undefined && !rule.when(facts)) return null
    if (rule.fixed) return { matched: String(index), continues: rule.continues }
    return sayEffects(policy, index, rule, facts)
  } catch (error) {
    if (isOutOfMemory(error)) throw error
    const broken = `[${index},"exception",${JSON.stringify(messageOf(error))}]`
    return { broken, threw: true, continues: false }
  }
}

/** Asks every rule; what they say accumulates. */
export function runConstraint(policy: Prepared, facts: object): string {
  const matched: string[] = []
  const broken: string[] = []
  let letters = ''
  for (let index = 0; index < policy.rules.length; index++) {
    const rule = policy.rules[index] as PreparedRule
    const ended = runRule(policy, index, rule, facts)
    letters += takeTrace(rule.conditions)
    if (ended?.matched !== undefined) matched.push(ended.matched)
    if (ended?.broken !== undefined) broken.push(ended.broken)
  }
  return `[${policy.index},"${letters}",[${matched.join()}],[${broken.join()}]]`
}

/** Asks rules until one matches or breaks. `continues`: the next route is to be asked. */
export function runRoute(policy: Prepared, facts: object): { answer: string; continues: boolean } {
  let letters = ''
  let ended: Ended | null = null
  let onError: unknown
  for (let index = 0; index < policy.rules.length; index++) {
    const rule = policy.rules[index] as PreparedRule
    if (ended === null) {
      ended = runRule(policy, index, rule, facts)
      onError = rule.onError ?? policy.onError
    }
    letters += takeTrace(rule.conditions)
  }
  const passedOver = ended?.threw === true && onError === 'continue'
  return {
    answer: `[${policy.index},"${letters}",[${ended?.matched ?? ''}],[${ended?.broken ?? ''}]]`,
    continues: ended === null || ended.continues || passedOver,
  }
}

/** Asks the only rule of a guardrail whether it holds. */
export function runGuardrail(guardrail: Prepared, facts: object): string {
  const rule = guardrail.rules[0]
  if (rule === undefined) return '[0,"",[]]'
  const ended = runRule(guardrail, 0, rule, facts)
  const letters = takeTrace(rule.conditions)
  return `[${ended?.matched === undefined ? 0 : 1},"${letters}",[${ended?.broken ?? ''}]]`
}
