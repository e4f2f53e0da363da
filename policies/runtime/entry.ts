/** What compiled workspace files and the generated start of a script import. Runs inside the sandbox only. */
import { type ModelFilter, ModelSelection } from '../authoring/facts.ts'
import { registry } from '../authoring/params.ts'
import { withBrokenRules } from './broken-rules.ts'
import { prepare } from './prepare.ts'
import { runConstraint, runGuardrail, runRoute } from './run.ts'
import type { Description, EvaluateQuestion, Question } from './wire.ts'

export { paramValue } from '../authoring/params.ts'
export { at } from './sites.ts'
export { pending, trace } from './trace.ts'

export interface ScriptOptions {
  /** Some function may keep hold of the facts: freeze them, so that no policy changes what the next one sees. */
  readonly freeze: boolean
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFrozen(member)
  return Object.freeze(value)
}

const where = (filter: ModelFilter) => new ModelSelection(filter)

/** `f.models` where no policy reads the rows. */
const noModels = deepFrozen(Object.defineProperty([], 'where', { value: where }))

/** `f.models` of a call: the rows where some policy reads them, and always `where`. */
function withModels(facts: { models?: unknown }): object {
  const { models } = facts
  facts.models = models === undefined ? noModels : Object.defineProperty(models, 'where', { value: where })
  return facts
}

/** Where the findings of a call stand: `data` of its facts. */
interface Signals {
  readonly detectors?: unknown
  readonly detectorErrors?: unknown
}

/**
 * Makes reading a detector that failed an error of the rule that reads it: its silence must not pass for a text in
 * which nothing was found.
 */
function withFailures(signals: unknown, errors: unknown): void {
  if (typeof signals !== 'object' || signals === null || !Array.isArray(errors)) return
  for (const name of errors) {
    if (Object.hasOwn(signals, name)) continue
    const get = (): never => {
      throw new Error(`the detector "${name}" failed`)
    }
    Object.defineProperty(signals, name, { get })
  }
}

/** The function that the sandbox calls: a question in JSON to an answer in JSON. */
export function createScript(
  files: readonly (readonly [file: string, exported: unknown])[],
  options: ScriptOptions,
): (input: string) => string {
  const definitions = files.map(([file, exported], index) => prepare(exported, index, file, { where }))

  function describe(): string {
    const description: Description = {
      definitions: definitions.map(({ described }) => described),
      params: registry.declared,
    }
    return JSON.stringify(description)
  }

  function evaluate({ c, r, t }: EvaluateQuestion, facts: object): string {
    let answers = ''
    for (let at = 0; at < c.length; at++) {
      const policy = definitions[c[at] as number]
      if (policy === undefined) continue
      answers += (answers === '' ? '' : ',') + runConstraint(withBrokenRules(policy, t), facts)
    }
    for (let at = 0; at < r.length; at++) {
      const policy = definitions[r[at] as number]
      if (policy === undefined) continue
      const { answer, continues } = runRoute(withBrokenRules(policy, t), facts)
      answers += (answers === '' ? '' : ',') + answer
      if (!continues) break
    }
    return `[${answers}]`
  }

  return (input) => {
    const question: Question = JSON.parse(input)
    if ('describe' in question) return describe()
    registry.values = question.p
    const facts = 'g' in question ? question.f : withModels(question.f)
    // What a failed detector means to a guardrail is said by whoever asked it.
    const data: Signals = 'g' in question ? {} : (Object(question.f).data ?? {})
    if (data.detectorErrors !== undefined) withFailures(data.detectors, data.detectorErrors)
    if (options.freeze) deepFrozen(facts)
    if (!('g' in question)) return evaluate(question, facts)
    const guardrail = definitions[question.g]
    return guardrail === undefined ? '[0,"",[]]' : runGuardrail(withBrokenRules(guardrail, question.t), facts)
  }
}
