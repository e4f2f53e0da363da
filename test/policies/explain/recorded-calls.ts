import {
  buildVersion,
  columnsOf,
  createEngine,
  type Engine,
  type Evaluation,
  type ExplainedVersion,
  explainRecord,
  indexCatalogue,
  loadCatalogue,
  type ParamValues,
} from '@signalbox/policies'
import type { CallRecord, Explanation, RecordBody } from '@signalbox/sdk/contract'
import { LayerPath, namesOf } from '../../../policies/evaluation/layer-path.ts'
import { callRecord } from '../../support/call-records.ts'
import { type Files, factsOf, guardrails, type PartialFacts, workspaceFile } from '../engine/programs.ts'

const environment = 'development'
export const catalogue = indexCatalogue(loadCatalogue().catalogue)

/** Builds a workspace as a version that decides calls. */
export async function versionOf(
  files: Files,
  part: Partial<ExplainedVersion> = {},
): Promise<ExplainedVersion> {
  const sources = new Map(Object.entries({ 'signalbox.yaml': workspaceFile, ...guardrails, ...files }))
  const { problems, version } = await buildVersion(sources, { catalogue: loadCatalogue(), typeCheck: false })
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (version === null || errors.length > 0) throw new Error(JSON.stringify(errors))
  const { digest, script, compiled } = version
  return { digest, script, compiled, number: 12, role: 'stable', nodePath: [], ...part }
}

/** What a call is recorded with, beside its facts. */
export interface Recorded {
  readonly facts?: PartialFacts
  readonly params?: ParamValues
  readonly body?: Partial<RecordBody>
  readonly row?: Partial<CallRecord['row']>
}

function effectOf({ failure, decision }: Evaluation): CallRecord['row']['effect'] {
  return failure === undefined ? decision.effect : 'error'
}

function decide(engine: Engine, versions: readonly ExplainedVersion[], call: Recorded) {
  const loaded = versions.map(({ script = '', ...rest }) => ({ ...rest, script }))
  const program = engine.load(loaded, { environment })
  const names = new LayerPath(
    versions.map((_, index) => index),
    versions.map(({ compiled }) => namesOf(compiled, environment)),
  )
  const health = { state: 'up', errorPpm: 0 } as const
  const candidates = program.candidates.map((target) => ({ target, health, lossless: true }))
  const facts = factsOf({ models: candidates, ...call.facts })
  const nearest = versions.at(-1)
  if (nearest === undefined) throw new Error('a call is decided by at least one version')
  const { compiled } = nearest
  const models = facts.models.map(({ target }) => columnsOf(target, { compiled, names, catalogue }))
  const evaluation = program.evaluate({ facts, params: call.params ?? {}, models })
  program.dispose()
  return { facts, evaluation, nearest }
}

/** Decides a call as a gateway does, and records it. */
export function recordOf(
  engine: Engine,
  versions: readonly ExplainedVersion[],
  call: Recorded = {},
): CallRecord {
  const { facts, evaluation, nearest } = decide(engine, versions, call)
  const { decision, policies, fuel, evaluationUs, decisionDigest } = evaluation
  const { row: whole, body } = callRecord({ sequence: 1 })
  const { factsDigest: _, target, policy: __, rule: ___, ...row } = whole
  const isAllowed = decision.effect === 'allow'
  return {
    row: {
      ...row,
      ...(isAllowed && target !== undefined && { target }),
      environment,
      modelRequested: facts.request.model.requested,
      effect: effectOf(evaluation),
      status: isAllowed ? 200 : (decision.reasons[0]?.http ?? 403),
      versionDigest: nearest.digest,
      version: nearest.number ?? 1,
      decisionDigest,
      ...call.row,
    },
    body: {
      ...body,
      ...{ facts, decision, policies, fuel, evaluationUs, params: { ...call.params } },
      attempts: isAllowed ? body.attempts : [],
      ...call.body,
    },
  }
}

/** Records a call and explains it, as one does who has nothing but record and version. */
export async function explain(
  engine: Engine,
  versions: readonly ExplainedVersion[],
  call: Recorded = {},
): Promise<Explanation> {
  return explainRecord({ record: recordOf(engine, versions, call), versions, engine, catalogue })
}

export { createEngine }
