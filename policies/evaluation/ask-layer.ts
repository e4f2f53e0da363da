import type { Facts } from '@signalbox/sdk/contract'
import type { Broken, PolicyAnswer } from '../runtime/wire.ts'
import { SandboxError } from '../sandbox/sandbox-error.ts'
import { breakCutRules, readsCutFacts } from './cut-facts.ts'
import type { Layer, LayerPolicy } from './layer.ts'
import { type PolicyOutcome, readAnswer } from './outcomes.ts'
import { type Asked as AskedPolicies, tailOf } from './policy-index.ts'

export type FailureKind = 'timeout' | 'memory' | 'exception' | 'invalid'
/** What one policy said, or why it said nothing. `trapped`: it broke the sandbox's limits, not only a rule. */
export interface Answer {
  readonly policy: LayerPolicy
  readonly trace: string
  readonly matched: PolicyAnswer[2]
  readonly broken: readonly Broken[]
  readonly trapped?: { readonly kind: FailureKind; readonly message: string }
}
export type Asked = AskedPolicies<LayerPolicy>
/** What the policies of a layer said: read and checked. The same object for the same answers. */
export interface LayerSaid {
  /** Names this object within its layer; undefined where it is not kept. */
  readonly id: number | undefined
  readonly constraints: readonly PolicyOutcome[]
  /** In the order asked; they end with the one that chose or broke. */
  readonly routes: readonly PolicyOutcome[]
  /** A route chose, denied or broke: no further route is to be asked. */
  readonly choiceMade: boolean
}
export interface LayerAnswers {
  readonly said: LayerSaid
  readonly fuel: number
}

/** Policies that may break the sandbox in one evaluation; the rest then counts as broken too, unasked. */
const trapsMax = 4
/** Questions longer than this are not worth keeping. */
const knownQuestionMax = 1024

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

function saidBy(answers: readonly Answer[], id?: number): LayerSaid {
  const last = answers.at(-1)
  const of = (kind: 'constraint' | 'route') => answers.filter(({ policy }) => policy.kind === kind)
  return {
    id,
    constraints: of('constraint').map(readAnswer),
    routes: of('route').map(readAnswer),
    choiceMade: last !== undefined && last.policy.kind === 'route' && !leavesChoice(last),
  }
}

/**
 * Asks each policy by itself after all together broke the sandbox: the one at fault breaks it again, all others
 * answer as if it were not there. Policies share no state, so this is the same in every run and on every machine.
 * Each has a part of the fuel, so that no set of policies holds the thread for longer than twice what one may.
 */
function askOneByOne(
  layer: Layer,
  question: string,
  asked: Asked,
  judge: (answer: Answer) => Answer = (answer) => answer,
): { answers: Answer[]; fuel: number } {
  const answers: Answer[] = []
  const fuelMax = Math.floor(layer.image.fuelMax / trapsMax)
  let fuel = 0
  let last: Answer['trapped']
  let traps = 0
  const ask = (policy: LayerPolicy, tail: string): Answer => {
    const silent = { policy, trace: policy.silentTrace, matched: [], broken: [] }
    if (traps >= trapsMax && last !== undefined) return { ...silent, trapped: last }
    try {
      const said = layer.image.call(question + tail, { fuelMax })
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
  for (const policy of asked.constraints) answers.push(judge(ask(policy, tailOf([policy], []))))
  for (const policy of asked.routes) {
    const answer = judge(ask(policy, tailOf([], [policy])))
    answers.push(answer)
    if (!leavesChoice(answer)) break
  }
  return { answers, fuel }
}

/** Answers in the same words are read once. Each policy and the checks of what it says stay as they are. */
function readOutput(layer: Layer, output: string, asked: Asked): LayerSaid {
  if (asked.id === undefined) return saidBy(decode(output, [...asked.constraints, ...asked.routes]))
  const { known } = layer
  const key = `${asked.id} ${output}`
  const same = known.said.get(key)
  if (same !== undefined) return same
  const said = saidBy(decode(output, [...asked.constraints, ...asked.routes]), known.count++)
  known.said.set(key, said)
  return said
}

/**
 * Asks the policies of one layer, in one call of the sandbox as long as none breaks it. A question that was asked
 * before has its answer already, fuel included: the sandbox keeps nothing from one call to the next, so it would give
 * the same bytes again. What broke the sandbox is asked again. Where a rule reads a fact that was cut, policies
 * are asked one by one: a rule that does counts as one that threw, so the next route may be up.
 */
export function askLayer(layer: Layer, question: string, asked: Asked, facts: Facts): LayerAnswers {
  if (readsCutFacts(asked, facts)) {
    const { answers, fuel } = askOneByOne(layer, question, asked, (answer) => breakCutRules(answer, facts))
    return { said: saidBy(answers), fuel }
  }
  const { known } = layer
  const isKept = asked.id !== undefined && question.length <= knownQuestionMax
  const key = isKept ? `${asked.id} ${question}` : undefined
  const same = key === undefined ? undefined : known.answers.get(key)
  if (same !== undefined) return same
  try {
    const { output, fuel } = layer.image.call(question + asked.tail)
    const answers = { said: readOutput(layer, output, asked), fuel }
    if (key !== undefined) known.answers.set(key, answers)
    return answers
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const { answers, fuel } = askOneByOne(layer, question, asked)
    return { said: saidBy(answers), fuel: fuel + error.fuel }
  }
}
