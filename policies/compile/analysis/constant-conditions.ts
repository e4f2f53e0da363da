import type {
  AnalysedAtom,
  AnalysedPolicy,
  AnalysedRule,
  AnalysedWorkspace,
  PlacedFinding,
} from './analysed-workspace.ts'
import { type Formula, isOpaque, literalsOf, not } from './formula.ts'
import { isPossible } from './satisfy.ts'

interface Asked {
  readonly file: string
  readonly whenPosition: PlacedFinding['position']
  readonly atoms: readonly AnalysedAtom[]
  readonly when: Formula
  readonly isDefault: boolean
}

/** `always`, `never`; undefined for what can be either. A condition written as `true` or `false` is meant. */
function constancyOf(formula: Formula): 'always' | 'never' | undefined {
  const literals = literalsOf(formula)
  if (literals.length > 0 && literals.every(isOpaque)) return undefined
  if (!isPossible(formula)) return 'never'
  return isPossible(not(formula)) ? undefined : 'always'
}

function findingOf(
  constancy: 'always' | 'never',
  text: string,
  why: string,
): { code: string; message: string } {
  return constancy === 'always'
    ? { code: 'always_true', message: `${text} is always true${why}` }
    : { code: 'never_true', message: `${text} is never true${why}` }
}

function findingsOf({ file, whenPosition, atoms, when, isDefault }: Asked): PlacedFinding[] {
  if (isDefault) return []
  const found = atoms.flatMap((atom): PlacedFinding[] => {
    const isWritten = typeof atom.expression === 'boolean'
    // Asked for the presence of what is never missing: the checker of expressions has said so.
    const isTold = Object(atom.expression).has !== undefined
    const constancy = isWritten || isTold ? undefined : constancyOf(atom.formula)
    if (constancy === undefined) return []
    const why = ', by what the fact or param can be: see its type and limits'
    const finding = findingOf(constancy, `\`${atom.text}\``, why)
    return [{ file, position: atom.position ?? whenPosition, severity: 'warning', ...finding }]
  })
  const hasWritten = atoms.some(({ expression }) => typeof expression === 'boolean')
  const whole = found.length > 0 || hasWritten || atoms.length < 2 ? undefined : constancyOf(when)
  if (whole === undefined) return found
  const parts = atoms.map(({ text }) => `\`${text}\``).slice(0, 4)
  const why = `: ${parts.join(', ')} ${whole === 'never' ? 'exclude each other' : 'leave no other case'}`
  return [{ file, position: whenPosition, severity: 'warning', ...findingOf(whole, 'the condition', why) }]
}

/** A condition that holds for none of the calls that the policy is asked about, though it could for others. */
function outsideMatch({ asked, match }: AnalysedPolicy, rule: AnalysedRule): PlacedFinding[] {
  if (match === undefined || rule.isDefault || isPossible(asked, rule.when)) return []
  if (!isPossible(rule.when) || !isPossible(asked)) return []
  const message = `the condition is never true for the calls that "match" lets through: ${JSON.stringify(match)}`
  return [{ file: rule.file, position: rule.whenPosition, severity: 'warning', code: 'never_true', message }]
}

/** Conditions that come to the same for every call: by the types of facts and params, or against each other. */
export function constantConditions({ policies, guardrails }: AnalysedWorkspace): PlacedFinding[] {
  const rules = [
    ...policies.flatMap((policy) => policy.rules),
    ...guardrails.flatMap((guardrail) => guardrail.rules),
  ]
  return [
    ...rules.flatMap(findingsOf),
    ...policies.flatMap((policy) => policy.rules.flatMap((rule) => outsideMatch(policy, rule))),
  ]
}
