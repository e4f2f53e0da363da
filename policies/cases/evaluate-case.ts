import { didYouMean } from '../compile/near-name.ts'
import { fitsParam, paramsOf } from '../evaluation/param-values.ts'
import type { InspectedEvaluation, InspectionInput, ParamValue } from '../program.ts'
import { CaseError, type FactsSource, factsOfCase } from './case-facts.ts'
import type { CaseRun } from './case-run.ts'
import { columnsOf } from './model-columns.ts'

/** A value that does not fit would silently count as not given. */
export function checkParams(params: Readonly<Record<string, ParamValue>>, run: CaseRun): void {
  const declared = paramsOf(run.compiled)
  for (const [name, value] of Object.entries(params)) {
    const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (declaration === undefined) {
      throw new CaseError(`no policy declares a param "${name}"${didYouMean(name, Object.keys(declared))}`, [
        'params',
        name,
      ])
    }
    if (!fitsParam(declaration, value)) {
      throw new CaseError(
        `param "${name}" cannot be ${JSON.stringify(value)}: ${JSON.stringify(declaration)}`,
        ['params', name],
      )
    }
  }
}

/** What a test asks the policies about. */
export interface TestQuestion
  extends Pick<FactsSource, 'environment' | 'given' | 'set' | 'nowMs'>,
    Pick<InspectionInput, 'only' | 'breaks'> {
  readonly params: Readonly<Record<string, ParamValue>>
}

/** The input of an evaluation as a test asks for it. @throws CaseError for facts or params that cannot be. */
export function inputOf(run: CaseRun, question: TestQuestion): InspectionInput {
  const { environment, params, given, set, nowMs, only, breaks } = question
  const { compiled, catalogue } = run
  const names = run.names(environment)
  const { candidates } = run.program(environment)
  const source = {
    compiled,
    environment,
    names,
    given,
    set,
    candidates,
    ...(nowMs !== undefined && { nowMs }),
  }
  const facts = factsOfCase(source)
  checkParams(params, run)
  const models = facts.models.map(({ target }) => columnsOf(target, { compiled, names, catalogue }))
  return {
    facts,
    models,
    params: { [compiled.name]: params },
    ...(only !== undefined && { only }),
    ...(breaks !== undefined && { breaks }),
  }
}

/** What came of asking the policies, and about what they were asked. */
export interface AskedEvaluation {
  readonly input: InspectionInput
  readonly evaluation: InspectedEvaluation
}

/** Asks the policies, and notes what that cost. @throws CaseError for facts or params that cannot be. */
export function evaluateIn(run: CaseRun, question: TestQuestion): AskedEvaluation {
  const input = inputOf(run, question)
  const evaluation = run.program(question.environment).inspect(input)
  const factsBytes = Buffer.byteLength(JSON.stringify(input.facts))
  run.fuel.add(question.only ?? null, { fuel: evaluation.fuel, factsBytes })
  return { input, evaluation }
}
