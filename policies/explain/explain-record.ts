import type { CallRecord, Explanation, PlanNode, WouldChangeIf } from '@signalbox/sdk/contract'
import type { PolicyOutcome } from '../evaluation/outcomes.ts'
import { compileParams } from '../evaluation/param-values.ts'
import { targetsOf } from '../evaluation/plan-tree.ts'
import type { ParamValue } from '../program.ts'
import { explainPolicy } from './explain-policies.ts'
import { explanationLines } from './explanation-lines.ts'
import { narrowCandidates } from './narrowing.ts'
import { outcomeText } from './reason-text.ts'
import {
  type ExplainedVersion,
  namesOfVersions,
  type Recomputed,
  type RecomputeOptions,
  recompute,
} from './recompute.ts'
import { wouldChangeIf } from './would-change.ts'

export interface ExplainOptions extends RecomputeOptions {
  readonly gatewayName?: string
  /** Address of a trace with `{traceId}` in it. */
  readonly traceUrlTemplate?: string
  /** Called between evaluations, so that a program can do other work. */
  readonly pause?: () => Promise<void>
}

type Params = Readonly<Record<string, ParamValue>>

/** Calls that ended before the policies: what was wrong with them; and lines of batches, which were decided before. */
function notDecided({ row, body }: CallRecord): string | null {
  if (body.batch !== undefined) {
    const { line, providerId, callId } = body.batch
    return `Line "${line}" of the batch ${providerId}: decided when that was made, by the call ${callId}.`
  }
  if (body.decision !== undefined || row.effect !== 'none') return null
  const { code, message } = body.error ?? { code: row.errorCode ?? '', message: '' }
  const because = [code, message.replace(/\.$/, '')].filter((part) => part !== '').join(': ')
  return `No policy was asked: the call ended before its decision${because === '' ? '' : ` (${because})`}.`
}

function headerOf({ record, versions, gatewayName }: ExplainOptions): Explanation['header'] {
  const { row, body } = record
  const own = versions.find(({ digest }) => digest === row.versionDigest)
  return {
    timeMs: row.timeMs,
    environment: row.environment,
    effect: row.effect,
    version: row.version ?? null,
    versionDigest: row.versionDigest ?? null,
    role: own?.role ?? null,
    params: row.stateSequence ?? null,
    release: row.releaseSequence ?? null,
    gateway: { id: row.gatewayId, name: gatewayName ?? null },
    durationMs: row.durationMs,
    evaluationUs: body.evaluationUs,
    fuel: body.fuel,
    factsBytes: body.facts === undefined ? null : new TextEncoder().encode(JSON.stringify(body.facts)).length,
  }
}

function layersOf({ versions }: ExplainOptions, policies: Explanation['policies']): Explanation['layers'] {
  const idsOf = (workspace: string, kind: string) =>
    policies.filter((each) => each.workspace === workspace && each.kind === kind).map(({ id }) => id)
  return versions.map(({ digest, number, compiled, nodePath }) => ({
    workspace: compiled.name,
    node: nodePath.join('/'),
    version: number ?? null,
    digest,
    constraints: idsOf(compiled.name, 'constraint'),
    routes: idsOf(compiled.name, 'route'),
  }))
}

const strategyOf = (plan: PlanNode | undefined): string => {
  if (plan === undefined || 'target' in plan) return 'one target'
  return 'strategy' in plan ? plan.strategy : 'pipeline'
}

function selectionOf({ body }: CallRecord): Explanation['selection'] {
  const { selection, decision, facts } = body
  if (selection === undefined) return null
  const targets = new Set([
    ...selection.order,
    ...selection.skipped.map(({ target }) => target),
    ...(decision?.plan === undefined ? [] : targetsOf(decision.plan)),
  ])
  const known = (facts?.models ?? []).filter(({ target }) => targets.has(target))
  const { health: sights, ...picked } = selection
  const health = Object.fromEntries(
    (sights ?? known.map(({ target, health: { state } }) => ({ target, state }))).map(({ target, state }) => [
      target,
      state,
    ]),
  )
  return { strategy: strategyOf(decision?.plan), ...picked, health, ...(sights !== undefined && { sights }) }
}

/** Params of a workspace as the policies read them: hot values over those of the environment over defaults. */
function paramsOf({ compiled }: ExplainedVersion, options: ExplainOptions): Params {
  const { record } = options
  const values = record.body.params ?? options.params ?? {}
  const params: Params = JSON.parse(compileParams(compiled, record.row.environment)(values))
  return params
}

function explainPolicies(
  options: ExplainOptions,
  said: readonly PolicyOutcome[],
): Pick<Explanation, 'policies' | 'candidates'> {
  const { record, versions } = options
  const { facts: recorded, policies, masked = [] } = record.body
  const findSaid = (workspace: string, id: string) =>
    said.find(({ policy }) => policy.workspace === workspace && policy.id === id)
  const constraints = policies
    .filter(({ kind }) => kind === 'constraint')
    .flatMap(({ workspace, id }) => findSaid(workspace, id) ?? [])
  const candidates = (recorded?.models ?? []).map(({ target }) => target)
  const names = namesOfVersions(versions, record.row.environment)
  const narrowed = narrowCandidates(constraints, candidates, names.columnsIn(recorded ?? { models: [] }))
  const byWorkspace = new Map(versions.map((version) => [version.compiled.name, version]))
  return {
    policies: policies.map((result) => {
      const version = byWorkspace.get(result.workspace)
      const ofPolicy = findSaid(result.workspace, result.id)
      return explainPolicy({
        result,
        compiled: version?.compiled.policies.find(({ id }) => id === result.id),
        said: ofPolicy,
        effects: ofPolicy && narrowed.of.get(ofPolicy),
        facts: { facts: recorded, masked },
        params: version === undefined ? {} : paramsOf(version, options),
      })
    }),
    candidates: said.length === 0 ? null : narrowed.all,
  }
}

async function flip(
  options: ExplainOptions,
  recomputed: Recomputed | undefined,
  isSame: boolean,
): Promise<WouldChangeIf> {
  if (recomputed === undefined || !isSame) {
    const why = 'the decision could not be computed again'
    return { changes: [], withoutEffect: 0, untried: 0, why }
  }
  const { versions, pause } = options
  return await wouldChangeIf({
    recomputed,
    versions,
    masked: options.record.body.masked ?? [],
    paramsOf: (version) => paramsOf(version, options),
    ...(pause !== undefined && { pause }),
  })
}

/**
 * Why a call was decided as it was, from its record and the versions that decided: every policy, matched or not, each
 * condition with its values, what constraints took away, and which single change would have led elsewhere. The call is
 * decided again in the sandbox, and the explanation says whether that gives the recorded decision. No input or output.
 */
export async function explainRecord(options: ExplainOptions): Promise<Explanation> {
  const { record, traceUrlTemplate } = options
  const { row, body } = record
  const { verification, recomputed } = recompute(options)
  try {
    const isSame = verification.status === 'same'
    const { policies, candidates } = explainPolicies(options, isSame ? (recomputed?.said ?? []) : [])
    const explanation: Explanation = {
      id: row.id,
      row,
      outcome: outcomeText(record),
      header: headerOf(options),
      notDecided: notDecided(record),
      verification,
      layers: layersOf(options, policies),
      decision: body.decision ?? null,
      policies,
      candidates,
      selection: selectionOf(record),
      attempts: body.attempts,
      verdicts: body.verdicts,
      error: body.error ?? null,
      cut: body.facts?.truncated ?? [],
      masked: body.masked ?? [],
      reasons: body.decision?.reasons ?? [],
      wouldChangeIf: await flip(options, recomputed, isSame),
      summary: [],
      traceUrl:
        traceUrlTemplate === undefined || row.traceId === undefined
          ? null
          : traceUrlTemplate.replaceAll('{traceId}', row.traceId),
    }
    return { ...explanation, summary: explanationLines(explanation) }
  } finally {
    recomputed?.program.dispose()
  }
}
