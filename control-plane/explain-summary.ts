import type { Attempt, CallRecord, Caps, PlanNode, Reason } from '@signalbox/sdk/contract'
import type { ExplainedCondition, ExplainedPolicy } from './explain.ts'

/** What is longer is cut in the lines; the JSON has it whole. */
const valueLengthMax = 80
const conditionLengthMax = 200
const numbers = new Intl.NumberFormat('en-US')

const outcomeText: Readonly<Record<ExplainedPolicy['outcome'], string>> = {
  denied: 'denied',
  narrowed: 'narrowed',
  chosen: 'chose',
  continued: 'continued',
  noEffect: 'no effect',
  notApplicable: 'not applicable: its match does not hold',
  notReached: 'not reached: a route before it chose',
  failed: 'failed',
}
const conditionText: Readonly<Record<ExplainedCondition['outcome'], string>> = {
  true: 'TRUE',
  false: 'FALSE',
  threw: 'THREW',
  notEvaluated: 'not evaluated',
}

/** A plan as a line: `a, then b`; other strategies by name. */
export function describePlan(node: PlanNode): string {
  if ('target' in node) return node.target
  if ('pipeline' in node)
    return node.pipeline.map((step) => `${step.id}: ${describePlan(step.node)}`).join(' | ')
  const parts = node.of.map((each) => ('target' in each ? each.target : `(${describePlan(each)})`))
  return node.strategy === 'ordered' ? parts.join(', then ') : `${node.strategy} of ${parts.join(', ')}`
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  if (typeof value === 'number') return numbers.format(value)
  const text = JSON.stringify(value)
  return shorten(text, valueLengthMax)
}

function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`
}

function conditionLine(condition: ExplainedCondition): string {
  const values = Object.entries(condition.values).map(([path, value]) => `${path} = ${valueText(value)}`)
  const tail = values.length === 0 ? '' : `   (${values.join(', ')})`
  // Authors write conditions over several lines.
  const text = shorten(condition.text.replaceAll(/\s+/g, ' '), conditionLengthMax)
  return `      ${text}   ${conditionText[condition.outcome]}${tail}`
}

function policyLines(policy: ExplainedPolicy): string[] {
  const rule = policy.rules.find((each) => each.id === policy.rule)
  const place = policy.file === null ? '' : `   ${policy.file}${rule === undefined ? '' : `:${rule.line}`}`
  const ruleText = policy.rule === null ? '' : ` → rule ${policy.rule}`
  const lines = [`  ${policy.workspace}/${policy.id}   ${outcomeText[policy.outcome]}${ruleText}${place}`]
  if (policy.error !== undefined) lines.push(`      ${policy.error.kind}: ${policy.error.message}`)
  for (const { id, conditions } of policy.rules) {
    const shown = conditions.filter((condition) => condition.outcome !== 'notEvaluated')
    if (shown.length > 0 && policy.rules.length > 1) lines.push(`    ${id}`)
    lines.push(...shown.map(conditionLine))
  }
  return lines
}

function reasonText(reason: Reason): string {
  const rule = reason.rule === '' ? '' : `, rule ${reason.rule}`
  const message = reason.message === undefined ? '' : `: ${reason.message}`
  return `${reason.code} by ${reason.workspace}/${reason.policy}${rule}${message}`
}

function headLine({ row, body }: CallRecord): string {
  const code = body.error?.code ?? row.errorCode
  if (row.effect === 'allow') return `ALLOW  ${row.modelRequested} → ${row.target ?? 'no target'}`
  if (row.effect === 'deny') {
    const first = body.decision?.reasons[0]
    const why = first === undefined ? (code ?? 'denied') : reasonText(first)
    return `DENY  ${row.modelRequested}  HTTP ${row.status}  ${why}`
  }
  const what = row.effect === 'error' ? 'ERROR' : 'NOT DECIDED'
  return `${what}  ${row.modelRequested}  HTTP ${row.status}${code === undefined ? '' : `  ${code}`}`
}

function contextLine({ row, body }: CallRecord): string {
  const version =
    row.version === undefined ? 'no version' : `v${row.version} ${(row.versionDigest ?? '').slice(0, 15)}…`
  const facts =
    body.facts === undefined
      ? 'facts not recorded'
      : `facts ${numbers.format(Buffer.byteLength(JSON.stringify(body.facts)))} B`
  const documents = `release ${row.releaseSequence ?? '-'}, state ${row.stateSequence ?? '-'}`
  const cost = `${numbers.format(body.evaluationUs)} µs, fuel ${numbers.format(body.fuel)}, ${facts}`
  return `${new Date(row.timeMs).toISOString()}  ${row.environment}  ${version}  ${documents}  ${cost}`
}

function capsText(caps: Caps): string[] {
  return Object.entries(caps).map(([name, value]) => `${name} ≤ ${numbers.format(value)}`)
}

function attemptLine(attempt: Attempt): string {
  const status = attempt.status === undefined ? '' : ` HTTP ${attempt.status}`
  const error = attempt.errorCode === undefined ? '' : ` ${attempt.errorCode}`
  const winner = attempt.winner ? '   answered' : ''
  const durationMs = numbers.format(attempt.durationMs)
  return `  ${attempt.index + 1}. ${attempt.target}   ${attempt.outcome}${status}${error} in ${durationMs} ms${winner}`
}

/** Why the plan is what it is: the route that chose, or that none did. */
function planLines(record: CallRecord, routes: readonly ExplainedPolicy[]): string[] {
  const { decision, selection } = record.body
  if (decision?.plan === undefined) return []
  const by = routes.find((policy) => policy.outcome === 'chosen')
  const why =
    by === undefined
      ? `no route chose: the model as asked, "${record.row.modelRequested}"`
      : `chosen by ${by.workspace}/${by.id}${by.rule === null ? '' : `, rule ${by.rule}`}`
  const lines = [`plan  ${describePlan(decision.plan)}   ${why}`]
  if (decision.variant !== undefined) {
    const { rollout, name, propensityPpm } = decision.variant
    const share = propensityPpm === undefined ? '' : ` (${propensityPpm / 10_000} %)`
    lines.push(`  rollout ${rollout}: arm ${name}${share}`)
  }
  for (const { target, reason } of selection?.skipped ?? []) lines.push(`  passed over ${target}: ${reason}`)
  return lines
}

/** The lines for people: outcome, context, constraints, routes, plan, attempts, reasons. */
export function summariseRecord(record: CallRecord, policies: readonly ExplainedPolicy[]): string[] {
  const { body } = record
  const constraints = policies.filter((policy) => policy.kind === 'constraint')
  const routes = policies.filter((policy) => policy.kind === 'route')
  const caps = body.decision === undefined ? [] : capsText(body.decision.caps)
  const reasons = body.decision?.reasons ?? []
  return [
    headLine(record),
    contextLine(record),
    ...(constraints.length === 0 ? [] : ['constraints', ...constraints.flatMap(policyLines)]),
    ...(caps.length === 0 ? [] : [`  caps: ${caps.join(', ')}`]),
    ...(routes.length === 0 ? [] : ['route', ...routes.flatMap(policyLines)]),
    ...planLines(record, routes),
    ...(body.attempts.length === 0 ? [] : ['attempts', ...body.attempts.map(attemptLine)]),
    ...(reasons.length === 0 ? [] : ['reasons', ...reasons.map((reason) => `  ${reasonText(reason)}`)]),
    ...(body.error?.message === undefined ? [] : [`error  ${body.error.code}: ${body.error.message}`]),
    ...(body.facts !== undefined && body.facts.truncated.length > 0
      ? [`cut  ${body.facts.truncated.join(', ')}`]
      : []),
  ]
}
