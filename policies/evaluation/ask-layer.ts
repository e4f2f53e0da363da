import type { Broken, PolicyAnswer } from '../runtime/wire.ts'
import { SandboxError } from '../sandbox/index.ts'
import type { Layer, LayerPolicy } from './layer.ts'

export type FailureKind = 'timeout' | 'memory' | 'exception' | 'invalid'
/** What one policy said, or why it said nothing. `trapped`: it broke the sandbox's limits, not only a rule. */
export interface Answer {
  readonly policy: LayerPolicy
  readonly trace: string
  readonly matched: PolicyAnswer[2]
  readonly broken: readonly Broken[]
  readonly trapped?: { readonly kind: FailureKind; readonly message: string }
}
export interface Asked {
  readonly constraints: readonly LayerPolicy[]
  readonly routes: readonly LayerPolicy[]
}
export interface LayerAnswers {
  /** In the order asked; routes end with the one that chose or broke. */
  readonly answers: readonly Answer[]
  readonly fuel: number
  /** A route chose, denied or broke: no further route is to be asked. */
  readonly choiceMade: boolean
}
type Question = (constraints: readonly number[], routes: readonly number[]) => string

/** Policies that may break the sandbox in one evaluation; the rest then counts as broken too, unasked. */
const trapsMax = 4

const indexesOf = (policies: readonly LayerPolicy[]) => policies.map(({ index }) => index)

function kindOf(error: SandboxError): FailureKind {
  return error.kind === 'too_large' ? 'invalid' : error.kind
}

function decode(output: string, asked: readonly LayerPolicy[]): Answer[] {
  const answers: PolicyAnswer[] = JSON.parse(output)
  return answers.map(([index, trace, matched, broken], at) => {
    // Answers come in the order of the questions.
    const policy = asked[at]?.index === index ? asked[at] : undefined
    if (policy === undefined) throw new Error(`the sandbox answered for policy ${index}, which was not asked`)
    return { policy, trace, matched, broken }
  })
}

/** Whether the next route is to be asked after this one. */
export function leavesChoice({ policy, matched, broken, trapped }: Answer): boolean {
  if (trapped !== undefined) return false
  const [failure] = broken
  if (failure !== undefined) {
    return (policy.rules[failure[0]]?.onError ?? policy.onError) === 'continue' && failure[1] === 'exception'
  }
  const [entry] = matched
  if (entry === undefined) return true
  const effects = typeof entry === 'number' ? policy.rules[entry]?.effects : entry[1]
  return Object(effects?.[0]).continue === true
}

/**
 * Asks each policy by itself after all together broke the sandbox: the one at fault breaks it again, all others
 * answer as if it were not there. Policies share no state, so this is the same in every run and on every machine.
 */
function askOneByOne(layer: Layer, question: Question, asked: Asked): Omit<LayerAnswers, 'choiceMade'> {
  const answers: Answer[] = []
  let fuel = 0
  let last: Answer['trapped']
  let traps = 0
  const ask = (policy: LayerPolicy, text: string): Answer => {
    const silent = { policy, trace: policy.silentTrace, matched: [], broken: [] }
    if (traps >= trapsMax && last !== undefined) return { ...silent, trapped: last }
    try {
      const said = layer.image.call(text)
      fuel += said.fuel
      return decode(said.output, [policy])[0] ?? silent
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error
      fuel += error.fuel
      traps++
      last = { kind: kindOf(error), message: error.message }
      return { ...silent, trapped: last }
    }
  }
  for (const policy of asked.constraints) answers.push(ask(policy, question([policy.index], [])))
  for (const policy of asked.routes) {
    const answer = ask(policy, question([], [policy.index]))
    answers.push(answer)
    if (!leavesChoice(answer)) break
  }
  return { answers, fuel }
}

/** Asks the policies of one layer, in one call of the sandbox as long as none breaks it. */
export function askLayer(layer: Layer, question: Question, asked: Asked): LayerAnswers {
  const { answers, fuel } = askTogether(layer, question, asked)
  const last = answers.at(-1)
  const choiceMade = last !== undefined && last.policy.kind === 'route' && !leavesChoice(last)
  return { answers, fuel, choiceMade }
}

function askTogether(layer: Layer, question: Question, asked: Asked): Omit<LayerAnswers, 'choiceMade'> {
  const { constraints, routes } = asked
  try {
    const { output, fuel } = layer.image.call(question(indexesOf(constraints), indexesOf(routes)))
    return { answers: decode(output, [...constraints, ...routes]), fuel }
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const { answers, fuel } = askOneByOne(layer, question, asked)
    return { answers, fuel: fuel + error.fuel }
  }
}
