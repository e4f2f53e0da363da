import type { Facts, PlanNode } from '@signalbox/sdk/contract'
import { breaksOf } from '../cases/breaks.ts'
import { CaseError } from '../cases/case-facts.ts'
import { type CaseRun, environmentDefault } from '../cases/case-run.ts'
import { inputOf, type TestQuestion } from '../cases/evaluate-case.ts'
import { didYouMean } from '../compile/near-name.ts'
import type { EvaluationInput, InspectedEvaluation, ParamValue } from '../program.ts'
import type { Answers } from './test-script.ts'

interface EvalQuestion {
  readonly policy: string
  readonly f: unknown
  readonly options: {
    readonly params?: Readonly<Record<string, ParamValue>>
    readonly environment?: string
    readonly throw?: true | string
  }
}
interface FactsQuestion {
  readonly facts: Readonly<Record<string, unknown>>
  readonly under?: unknown
}

function targetsOf(node: PlanNode | undefined): string[] {
  if (node === undefined) return []
  if ('target' in node) return [node.target]
  if ('pipeline' in node) return node.pipeline.flatMap((step) => targetsOf(step.node as PlanNode))
  return node.of.flatMap((each) => targetsOf(each as PlanNode))
}

/** What a body is told of an evaluation. */
function verdictOf({ decision, policies }: InspectedEvaluation, only: string | undefined): unknown {
  const { effect, reasons, plan, caps, guardrails, variant, annotations } = decision
  const rows = policies.flatMap(({ id, kind, rule, outcome, error }) =>
    only === undefined || id === only
      ? [{ id, kind, rule, outcome, ...(error !== undefined && { error }) }]
      : [],
  )
  return {
    effect,
    reasons,
    ...(plan !== undefined && { plan }),
    targets: effect === 'allow' ? [...new Set(targetsOf(plan))] : [],
    caps,
    guardrails,
    ...(variant !== undefined && { variant }),
    annotations,
    rule: only === undefined ? null : (rows[0]?.rule ?? null),
    policies: rows,
  }
}

/** Facts as a body sees them: candidates with all their columns. */
export function shownFacts({ facts, models }: Pick<EvaluationInput, 'facts' | 'models'>): object {
  return { ...facts, models: facts.models.map((row, index) => ({ ...models[index], ...row })) }
}

/** Facts that a body handed back, without what it was shown beside them. */
function plainFacts(shown: unknown): Record<string, unknown> {
  const document: Partial<Facts> = Object(shown)
  const rows = Array.isArray(document.models) ? document.models : []
  const models = rows.map(({ target, health, lossless }) => ({ target, health, lossless }))
  return { ...document, models }
}

/** Answers what the body of a test asks, from the policies of a run. */
export class BodyQuestions {
  readonly #run: CaseRun
  /** Facts of the property's run, if it is one. */
  readonly #given: EvaluationInput | undefined

  constructor(run: CaseRun, given?: EvaluationInput) {
    this.#run = run
    this.#given = given
  }

  answer(question: string): Answers[number] {
    const asked: EvalQuestion | FactsQuestion = JSON.parse(question)
    try {
      const answer = 'policy' in asked ? this.#evaluate(asked) : this.#facts(asked)
      return { question, answer }
    } catch (error) {
      if (!(error instanceof CaseError)) throw error
      return { question, answer: null, problem: error.message }
    }
  }

  #input(document: unknown, about: Omit<TestQuestion, 'given' | 'set' | 'nowMs'>): EvaluationInput {
    const { environment, params, only, breaks } = about
    if (document === 'given' && this.#given !== undefined && environment === environmentDefault) {
      const same =
        Object.keys(params).length === 0 ? this.#given.params : { [this.#run.compiled.name]: params }
      return {
        ...this.#given,
        params: same,
        ...(only !== undefined && { only }),
        ...(breaks !== undefined && { breaks }),
      }
    }
    const given = plainFacts(document === 'given' ? this.#given?.facts : document)
    return inputOf(this.#run, { ...about, given, set: {} })
  }

  #evaluate({ policy, f, options }: EvalQuestion): unknown {
    const only = /^bundle: ?all$/.test(policy) ? undefined : policy
    const ids = this.#run.compiled.policies.map(({ id }) => id)
    if (only !== undefined && !ids.includes(only)) {
      throw new CaseError(`there is no policy "${only}"${didYouMean(only, [...ids, 'bundle:all'])}`)
    }
    if (only === undefined && options.throw !== undefined)
      throw new CaseError('"throw" needs a single policy')
    const { environment = environmentDefault, params = {} } = options
    const breaks = breaksOf(options.throw, only, this.#run)
    const about = {
      environment,
      params,
      ...(only !== undefined && { only }),
      ...(breaks !== undefined && { breaks }),
    }
    const input = this.#input(f, about)
    const evaluation = this.#run.program(environment).inspect(input)
    const factsBytes = Buffer.byteLength(JSON.stringify(input.facts))
    this.#run.fuel.add(only ?? null, { fuel: evaluation.fuel, factsBytes })
    return verdictOf(evaluation, only)
  }

  #facts({ facts, under }: FactsQuestion): object {
    const given = under === undefined ? {} : plainFacts(under === 'given' ? this.#given?.facts : under)
    return shownFacts(inputOf(this.#run, { environment: environmentDefault, params: {}, given, set: facts }))
  }
}
