import type { GuardrailAction } from '@signalbox/sdk/contract'
import type { GuardrailEvaluation, SaidByGuardrail, ScreenInput } from '../program.ts'
import type { Broken, Matched, ScreenAnswer } from '../runtime/wire.ts'
import { SandboxError } from '../sandbox/sandbox-error.ts'
import { fitsOnly } from './effect-shape.ts'
import { checkActions, codeOf, rankOf } from './guardrail-actions.ts'
import type { Layer, LayerGuardrail } from './layer.ts'

interface Failure {
  readonly rule?: string
  readonly kind: string
  readonly message: string
}
interface Read {
  readonly said: readonly SaidByGuardrail[]
  readonly failure: Failure | undefined
}

/** What the rules said, checked, and the first that broke and may not be passed over. */
function read({ rules }: LayerGuardrail, matched: readonly Matched[], broken: readonly Broken[]): Read {
  const said: SaidByGuardrail[] = []
  const failures: Failure[] = broken
    .filter(([index, kind]) => kind !== 'exception' || rules[index]?.onError !== 'continue')
    .map(([index, kind, message]) => ({ rule: rules[index]?.id ?? '', kind, message }))
  for (const entry of matched) {
    const [index, own] = typeof entry === 'number' ? [entry, undefined] : entry
    const rule = rules[index]
    if (rule === undefined) throw new Error(`the guardrail has no rule ${index}`)
    const actions = own ?? rule.says ?? []
    const [finding] = own === undefined ? [] : checkActions(own, fitsOnly)
    if (finding !== undefined) failures.push({ rule: rule.id, kind: 'invalid', message: finding.message })
    // Checked, here or by the compiler.
    else for (const action of actions) said.push({ rule: rule.id, action: action as GuardrailAction })
  }
  const strongestFirst = said.sort((one, other) => rankOf(one.action) - rankOf(other.action))
  return { said: strongestFirst, failure: failures[0] }
}

/** A text that a detector did not look at did not pass, unless the guardrail itself says what that means. */
function failureOfDetectors(guardrail: LayerGuardrail, { facts }: ScreenInput): Failure | undefined {
  const failed = facts.detectorErrors ?? []
  if (guardrail.seesErrors || failed.length === 0) return undefined
  return { kind: 'detector', message: `these detectors failed: ${failed.join(', ')}` }
}

function judge(
  guardrail: LayerGuardrail,
  { said, failure }: Read,
  input: ScreenInput,
): Omit<GuardrailEvaluation, 'trace' | 'fuel'> {
  const { id, direction } = guardrail
  const [strongest] = said
  // A text that a rule stops is stopped whatever another rule could not say.
  const stops = strongest !== undefined && ('block' in strongest.action || 'refuse' in strongest.action)
  const broke = stops ? undefined : (failureOfDetectors(guardrail, input) ?? failure)
  if (broke !== undefined) {
    const { rule, kind, message } = broke
    return {
      id,
      direction,
      verdict: 'error',
      said,
      error: { kind, message },
      ...(rule !== undefined && { rule }),
    }
  }
  if (strongest === undefined) return { id, direction, verdict: 'pass', said }
  const { rule, action } = strongest
  return { id, direction, verdict: 'fail', action, rule, code: codeOf(action), said }
}

/** The rules that are to throw, by their indexes. */
function breaksOf({ index, rules }: LayerGuardrail, breaks: readonly string[]): string {
  return JSON.stringify([index, rules.flatMap(({ id }, at) => (breaks.includes(id) ? [at] : []))])
}

/** Runs one guardrail over the findings of a text. What breaks in it is a verdict, `error`, not an exception. */
export function screenWith(layer: Layer, guardrail: LayerGuardrail, input: ScreenInput): GuardrailEvaluation {
  const { id, direction, index } = guardrail
  const params = layer.params(input.params ?? {})
  const breaks = input.breaks === undefined ? '' : `,"t":${breaksOf(guardrail, input.breaks)}`
  const question = `{"g":${index},"p":${params},"f":${JSON.stringify(input.facts)}${breaks}}`
  try {
    const { output, fuel } = layer.image.call(question)
    const [holds, trace, broken, matched = holds === 1 ? [0] : []]: ScreenAnswer = JSON.parse(output)
    const threw = broken.flatMap(([at, kind]) =>
      kind === 'exception' ? (guardrail.rules[at]?.id ?? []) : [],
    )
    const judged = judge(guardrail, read(guardrail, matched, broken), input)
    return { ...judged, ...(threw.length > 0 && { threw }), trace, fuel }
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const { kind, message, fuel } = error
    return { id, direction, verdict: 'error', said: [], error: { kind, message }, trace: '', fuel }
  }
}
