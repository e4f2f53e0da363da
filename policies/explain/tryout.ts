import type { CallRecord, Explanation, Facts as FactsDocument } from '@signalbox/sdk/contract'
import { Facts } from '@signalbox/sdk/contract'
import { digestOfJson, fits } from '@signalbox/sdk/node'
import { factsOfCase } from '../cases/case-facts.ts'
import { columnsOf } from '../cases/model-columns.ts'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { LayerPath, namesOf } from '../evaluation/layer-path.ts'
import { targetsOf } from '../evaluation/plan-tree.ts'
import type { Engine, Evaluation, LoadedProgram, LoadedWorkspace, ParamValues } from '../program.ts'
import { explainRecord } from './explain-record.ts'

const nobody = '00000000-0000-7000-8000-000000000000'
const environmentUsual = 'development'

/** One evaluation of facts that somebody tries out. */
export interface Tried {
  /** As they were evaluated. */
  readonly facts: FactsDocument
  /** False where the given facts were whole, as a record's are, and nothing was added to them. */
  readonly completed: boolean
  readonly evaluation: Evaluation
  readonly explanation: Explanation
}

/** The record that a gateway would have made of such a call, had it gone no further than its decision. */
function recordOf(facts: FactsDocument, evaluation: Evaluation, params: ParamValues): CallRecord {
  const { decision, decisionDigest, policies, fuel, evaluationUs, failure } = evaluation
  const { request, subject } = facts
  const [target] = decision.plan === undefined ? [] : targetsOf(decision.plan)
  const [reason] = decision.reasons
  const isAllowed = decision.effect === 'allow'
  const decisive = policies.find(({ outcome }) => outcome === (isAllowed ? 'chosen' : 'denied'))
  return {
    row: {
      ...{ id: request.id, organisationId: subject.organisationId, environment: facts.environment.name },
      ...{ gatewayId: nobody, incarnation: nobody, sequence: 1, timeMs: facts.nowMs, durationMs: 0 },
      ...{ keyId: subject.keyId, nodeId: subject.node.id },
      ...{ operation: request.operation, dialect: request.dialect, stream: request.stream },
      modelRequested: request.model.requested,
      ...(target !== undefined && { target }),
      ...(decisive !== undefined && { policy: decisive.id, rule: decisive.rule ?? '' }),
      effect: failure === undefined ? decision.effect : 'error',
      status: isAllowed ? 200 : (reason?.http ?? 403),
      ...(!isAllowed && { errorCode: failure?.code ?? reason?.code ?? 'policy_denied' }),
      ...{ truncated: false, attempts: 0, usage: {}, evidence: 'none', metadata: request.metadata },
      ...{ factsDigest: digestOfJson(facts), decisionDigest },
      ...{ cache: 'off', identity: false, assembled: false },
    },
    body: {
      ...{
        factsClass: 'full',
        facts,
        params: structuredClone(params),
        decision,
        policies,
        fuel,
        evaluationUs,
      },
      ...{ attempts: [], verdicts: [], dropped: [], undeclaredMetadata: [] },
      ...(failure !== undefined && { error: { code: failure.code, message: failure.message } }),
      text: { received: 0, delivered: 0 },
    },
  }
}

function environmentOf(given: unknown): string {
  const name: unknown = Object(Object(given).environment).name
  return typeof name === 'string' && name !== '' ? name : environmentUsual
}

/** Decides facts that somebody picked or wrote with one version, and explains each decision. Nothing is stored. */
export class Tryout {
  readonly #engine: Engine
  readonly #version: LoadedWorkspace
  readonly #catalogue: CatalogueIndex
  readonly #programs = new Map<string, LoadedProgram>()

  constructor(engine: Engine, version: LoadedWorkspace, catalogue: CatalogueIndex) {
    this.#engine = engine
    this.#version = version
    this.#catalogue = catalogue
  }

  /** Loaded once for each environment; whoever explains may dispose of it as often as they like. */
  #program(environment: string): LoadedProgram {
    const known = this.#programs.get(environment)
    if (known !== undefined) return known
    const program = this.#engine.load([this.#version], { environment })
    const kept: LoadedProgram = {
      environment: program.environment,
      workspaces: program.workspaces,
      candidates: program.candidates,
      policies: program.policies,
      guardrails: program.guardrails,
      evaluate: (input) => program.evaluate(input),
      inspect: (input) => program.inspect(input),
      screen: (input) => program.screen(input),
      view: (workspaces, without) => program.view(workspaces, without),
      dispose: () => {},
    }
    this.#programs.set(environment, kept)
    return kept
  }

  /**
   * Whole facts are decided as they are; others are laid over those of a plain call and completed as those of a case.
   * @throws CaseError where a path or a value is not one that a call can have.
   */
  async run(given: unknown, params: ParamValues = {}): Promise<Tried> {
    const environment = environmentOf(given)
    const program = this.#program(environment)
    const { compiled } = this.#version
    const names = new LayerPath([0], [namesOf(compiled, environment)])
    const whole = structuredClone(given)
    const isWhole = fits(Facts, whole)
    const { candidates } = program
    const facts = isWhole ? whole : factsOfCase({ compiled, environment, names, given, set: {}, candidates })
    const catalogue = this.#catalogue
    const models = facts.models.map(({ target }) => columnsOf(target, { compiled, names, catalogue }))
    const evaluation = program.evaluate({ facts, params, models, layers: [0] })
    const explanation = await explainRecord({
      record: recordOf(facts, evaluation, params),
      versions: [this.#version],
      engine: { ...this.#engine, load: (_workspaces, options) => this.#program(options.environment) },
      catalogue,
    })
    return { facts, completed: !isWhole, evaluation, explanation }
  }
}
