import type { GuardrailAction, GuardrailEvaluation, GuardrailFacts } from '../program.ts'
import type { ScreenAnswer } from '../runtime/wire.ts'
import { SandboxError } from '../sandbox/index.ts'
import type { Layer, LayerGuardrail } from './layer.ts'

/** Runs one guardrail over the findings of a text. What breaks in it is a verdict, `error`, not an exception. */
export function screenWith(
  layer: Layer,
  guardrail: LayerGuardrail,
  facts: GuardrailFacts,
): GuardrailEvaluation {
  const { id, direction, index } = guardrail
  const question = `{"g":${index},"p":${layer.params({})},"f":${JSON.stringify(facts)}}`
  try {
    const { output, fuel } = layer.image.call(question)
    const [holds, trace, broken]: ScreenAnswer = JSON.parse(output)
    const [failure] = broken
    if (failure !== undefined) {
      const error = { kind: failure[1], message: failure[2] }
      return { id, direction, verdict: 'error', error, trace, fuel }
    }
    if (holds === 0) return { id, direction, verdict: 'pass', trace, fuel }
    // Checked by the compiler.
    const action = guardrail.action as GuardrailAction
    return { id, direction, verdict: 'fail', action, trace, fuel }
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const { kind, message, fuel } = error
    return { id, direction, verdict: 'error', error: { kind, message }, trace: '', fuel }
  }
}
