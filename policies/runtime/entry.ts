/** What compiled workspace files and the generated start of a script import. Runs inside the sandbox only. */
import { type ModelFilter, ModelSelection } from '../authoring/facts.ts'
import { registry } from '../authoring/params.ts'
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

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
}

const where = (filter: ModelFilter) => new ModelSelection(filter)

/** `f.models` of a call: the rows where some policy reads them, and always `where`. */
function withModels(facts: { models?: unknown }): object {
  const models = Array.isArray(facts.models) ? facts.models : []
  Object.defineProperty(models, 'where', { value: where })
  facts.models = models
  return facts
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

  function evaluate(question: EvaluateQuestion, facts: object): string {
    const answers: string[] = []
    for (const index of question.c) {
      const policy = definitions[index]
      if (policy !== undefined) answers.push(runConstraint(policy, facts))
    }
    for (const index of question.r) {
      const policy = definitions[index]
      if (policy === undefined) continue
      const { answer, continues } = runRoute(policy, facts)
      answers.push(answer)
      if (!continues) break
    }
    return `[${answers.join()}]`
  }

  return (input) => {
    const question: Question = JSON.parse(input)
    if ('describe' in question) return describe()
    registry.values = question.p
    const facts = 'g' in question ? question.f : withModels(question.f)
    if (options.freeze) deepFreeze(facts)
    if (!('g' in question)) return evaluate(question, facts)
    const guardrail = definitions[question.g]
    return guardrail === undefined ? '[0,"",[]]' : runGuardrail(guardrail, facts)
  }
}
