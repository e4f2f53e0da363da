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

/**
 * How the rule that was run last ended: the JSON of its entry in `matched` or `broken`. In variables and not in an
 * object of its own, since all of this runs in an interpreter on the way of every call.
 */
let matched = ''
let broken = ''
let threw = false
let continues = false

/** Effects in JSON. What a rule says is data: without a JSON form it is invalid. */
function sayEffects(policy: Prepared, index: number, rule: PreparedRule, facts: object): void {
  const said = rule.then(facts)
  try {
    const json = JSON.stringify(effectsOf(said, policy.id))
    continues = !Array.isArray(said) && Object(said).continue === true
    matched = `[${index},${json}]`
  } catch (error) {
    continues = false
    broken = `[${index},"invalid",${JSON.stringify(messageOf(error))}]`
  }
}

/** Runs a rule. Says whether it matched or broke. */
function runRule(policy: Prepared, index: number, rule: PreparedRule, facts: object): boolean {
  matched = ''
  broken = ''
  threw = false
  continues = false
  try {
    if (rule.when !== undefined && !rule.when(facts)) return false
    if (rule.fixed) {
      continues = rule.continues
      matched = String(index)
    } else sayEffects(policy, index, rule, facts)
  } catch (error) {
    if (isOutOfMemory(error)) throw error
    threw = true
    broken = `[${index},"exception",${JSON.stringify(messageOf(error))}]`
  }
  return true
}

/** What all rules of a definition came to, as of the definition that was asked last. */
let letters = ''
let allMatched = ''
let allBroken = ''

function askAll(definition: Prepared, facts: object): void {
  const { rules } = definition
  letters = ''
  allMatched = ''
  allBroken = ''
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index] as PreparedRule
    if (runRule(definition, index, rule, facts)) {
      if (matched !== '') allMatched += allMatched === '' ? matched : `,${matched}`
      if (broken !== '') allBroken += allBroken === '' ? broken : `,${broken}`
    }
    letters += takeTrace(rule.conditions)
  }
}

/** Asks every rule; what they say accumulates. */
export function runConstraint(policy: Prepared, facts: object): string {
  askAll(policy, facts)
  return `[${policy.index},"${letters}",[${allMatched}],[${allBroken}]]`
}

/** Asks rules until one matches or breaks. */
export function runRoute(policy: Prepared, facts: object): { answer: string; continues: boolean } {
  const { rules } = policy
  let asked = ''
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index] as PreparedRule
    if (!runRule(policy, index, rule, facts)) {
      asked += takeTrace(rule.conditions)
      continue
    }
    asked += takeTrace(rule.conditions) + policy.idleTraces[index]
    const passedOver = threw && (rule.onError ?? policy.onError) === 'continue'
    return {
      answer: `[${policy.index},"${asked}",[${matched}],[${broken}]]`,
      continues: continues || passedOver,
    }
  }
  return { answer: `[${policy.index},"${asked}",[],[]]`, continues: true }
}

/** Asks every rule of a guardrail. */
export function runGuardrail(guardrail: Prepared, facts: object): string {
  askAll(guardrail, facts)
  return `[${allMatched === '' ? 0 : 1},"${letters}",[${allBroken}],[${allMatched}]]`
}
