import type { Attempt, ExplainedPolicy, Explanation, Verdict } from '@signalbox/sdk/contract'
import { capsText, describePlan } from './effect-text.ts'
import { nameWidthOf, policyLines } from './policy-lines.ts'
import { headOf, reasonText } from './reason-text.ts'
import { type Paint, type Segment, setLine, type TextLine, type Tone } from './text-layout.ts'
import { numberText } from './value-text.ts'

export interface LineOptions {
  /** Characters of a line; a longer one is broken between words. */
  readonly width?: number
  readonly paint?: Paint
}

const widthDefault = 80
const plain: Paint = (_tone, text) => text
const digestShown = 19

const line = (head: string, ...body: (string | Segment)[]): TextLine => ({
  head: [{ text: head }],
  body: body.map((each) => (typeof each === 'string' ? { text: each } : each)),
})
const title = (text: string, rest = ''): TextLine => ({
  head: [{ text: text.padEnd(13), tone: 'strong' }],
  body: rest === '' ? [] : [{ text: rest }],
})
const toned = (text: string, tone: Tone): Segment => ({ text, tone })

/** `ALLOW`, `NOT DECIDED`, and what follows it. */
function headLine({ outcome, row }: Explanation): TextLine {
  const what = headOf[row.effect]
  const tone = row.effect === 'allow' ? 'good' : 'bad'
  return { head: [{ text: `${what}  `, tone }], body: [{ text: outcome.slice(what.length + 1) }] }
}

function contextLines({ header }: Explanation): TextLine[] {
  const role = header.role === null ? '' : ` (${header.role})`
  const version =
    header.version === null
      ? 'no version'
      : `v${header.version} ${(header.versionDigest ?? '').slice(0, digestShown)}${role}`
  const facts = header.factsBytes === null ? 'facts not recorded' : `facts ${numberText(header.factsBytes)} B`
  const gateway = header.gateway.name ?? header.gateway.id
  const time = new Date(header.timeMs).toISOString()
  return [
    line('  ', toned(`${time} ${header.environment} ${version}`, 'dim')),
    line(
      '  ',
      toned(`params r${header.params ?? '-'}, release ${header.release ?? '-'}, gateway ${gateway}`, 'dim'),
    ),
    line(
      '  ',
      toned(`${numberText(header.evaluationUs)} µs, fuel ${numberText(header.fuel)}, ${facts}`, 'dim'),
    ),
  ]
}

function verificationLine({ verification, notDecided }: Explanation): TextLine[] {
  if (notDecided !== null) return [line('  ', notDecided)]
  const { status, recordedDigest, recomputedDigest, why } = verification
  if (status === 'same') {
    return [
      line(
        '  ',
        toned('computed again: the same decision', 'good'),
        toned((recordedDigest ?? '').slice(0, digestShown), 'dim'),
      ),
    ]
  }
  if (status === 'unchecked') return [line('  ', toned(`not computed again: ${why ?? ''}`, 'warn'))]
  const what = `COMPUTED AGAIN: ANOTHER DECISION (${recomputedDigest} instead of ${recordedDigest}): ${why ?? ''}`
  return [line('  ', toned(what, 'bad'))]
}

function healthText(health: Readonly<Record<string, string>>): string {
  const known = Object.entries(health)
  if (known.length === 0) return ''
  if (known.every(([, state]) => state === 'up')) return '; all targets up'
  return `; health: ${known.map(([target, state]) => `${target} ${state}`).join(', ')}`
}

/** Why the plan is what it is: the route that chose, or that none did. */
function planLines({ decision, policies, selection, row }: Explanation): TextLine[] {
  if (decision?.plan === undefined) return []
  const by = policies.find(({ kind, outcome }) => kind === 'route' && outcome === 'chosen')
  const failed = policies.find(({ kind, outcome }) => kind === 'route' && outcome === 'failed')
  const rule = by?.rule == null ? '' : `, rule ${by.rule}`
  const why =
    by !== undefined
      ? `chosen by ${by.workspace}/${by.id}${rule}`
      : failed !== undefined
        ? `the safe route of ${failed.workspace}/${failed.id}, which failed`
        : `no route chose: the model as asked, "${row.modelRequested}"`
  const lines = [title('plan', describePlan(decision.plan)), line('  ', why)]
  if (decision.variant !== undefined) {
    const { rollout, name, propensityPpm } = decision.variant
    const share = propensityPpm === undefined ? '' : ` (${propensityPpm / 10_000} %)`
    lines.push(line('  ', `rollout ${rollout}: arm ${name}${share}`))
  }
  if (selection === null) return lines
  lines.push(
    line('  ', `selection: ${selection.strategy}, seed ${selection.seed}${healthText(selection.health)}`),
  )
  for (const { target, reason } of selection.skipped)
    lines.push(line('  ', `passed over ${target}: ${reason}`))
  return lines
}

function attemptLine(attempt: Attempt): TextLine {
  const status = attempt.status === undefined ? '' : ` HTTP ${attempt.status}`
  const error = attempt.errorCode === undefined ? '' : ` ${attempt.errorCode}`
  const result = `${attempt.outcome}${status}${error}`
  const rest = `in ${numberText(attempt.durationMs)} ms${attempt.winner ? ', answered' : ''}`
  const tone = attempt.outcome === 'ok' ? 'good' : 'bad'
  return line(`  ${attempt.index + 1}. `, attempt.target, toned(result, tone), rest)
}

/** `output no-keys  fail REDACTED → redact, 2 hits, 512 of 512 characters scanned`. */
function verdictLine(said: Verdict): TextLine {
  const { verdict, code, error, action, level, hits, scannedChars, deliveredChars, stream } = said
  const why = code ?? error
  const done = action === 'none' ? (level === 'enforce' ? '' : `, ${level} only`) : ` → ${action}`
  const tone = verdict === 'pass' ? 'good' : verdict === 'skipped' ? 'dim' : 'bad'
  const seen = `scanned ${numberText(scannedChars)}, delivered ${numberText(deliveredChars)} characters`
  const rest = `${numberText(hits)} hits; ${seen}${stream === undefined ? '' : `; stream ${stream}`}`
  const result = `${verdict}${why === undefined ? '' : ` ${why}`}${done}`
  return line('  ', `${said.direction} ${said.guardrail}`, toned(result, tone), toned(rest, 'dim'))
}

const conditionsText = (count: number): string => `${count} condition${count === 1 ? '' : 's'}`

function changeLines({ wouldChangeIf, notDecided }: Explanation): TextLine[] {
  const { changes, withoutEffect, untried, why } = wouldChangeIf
  if (notDecided !== null) return []
  const lines = changes.flatMap(({ shown, outcome, policy, rule }) => [
    line('  ', shown, toned(`(${policy}/${rule})`, 'dim')),
    line('    → ', toned(outcome.text, outcome.effect === 'allow' ? 'good' : 'bad')),
  ])
  const others = [
    ...(withoutEffect === 0 ? [] : [`${conditionsText(withoutEffect)} flipped alone: the same decision`]),
    ...(untried === 0 ? [] : [`${conditionsText(untried)} not flipped`]),
    ...(why === null ? [] : [why]),
  ]
  if (others.length > 0) lines.push(line('  ', toned(others.join('; '), 'dim')))
  return lines.length === 0 ? [] : [title('would change if'), ...lines]
}

function constraintLines(explanation: Explanation, constraints: readonly ExplainedPolicy[]): TextLine[] {
  const { candidates, decision } = explanation
  const caps = decision === null ? [] : capsText(decision.caps)
  const guards = [
    ...(decision?.guardrails.input ?? []).map(({ id }) => `input ${id}`),
    ...(decision?.guardrails.output ?? []).map(({ id }) => `output ${id}`),
  ]
  if (constraints.length === 0) return []
  const nameWidth = nameWidthOf(constraints)
  const left = candidates === null ? '' : `candidates ${candidates.before} → ${candidates.after}`
  return [
    title('constraints', left),
    ...constraints.flatMap((each) => policyLines(each, nameWidth)),
    ...(caps.length === 0 ? [] : [line('  ', `caps: ${caps.join(', ')}`)]),
    ...(guards.length === 0 ? [] : [line('  ', `guardrails: ${guards.join(', ')}`)]),
  ]
}

/** An explanation in lines for people: the outcome first, then why, layer by layer. */
export function explanationLines(explanation: Explanation, options: LineOptions = {}): string[] {
  const { width = widthDefault, paint = plain } = options
  const { policies, attempts, verdicts, reasons, error, cut, masked } = explanation
  const routes = policies.filter(({ kind }) => kind === 'route')
  const lines: TextLine[] = [
    headLine(explanation),
    ...contextLines(explanation),
    ...verificationLine(explanation),
    ...constraintLines(
      explanation,
      policies.filter(({ kind }) => kind === 'constraint'),
    ),
    ...(routes.length === 0
      ? []
      : [title('route'), ...routes.flatMap((each) => policyLines(each, nameWidthOf(routes)))]),
    ...planLines(explanation),
    ...(attempts.length === 0 ? [] : [title('attempts'), ...attempts.map(attemptLine)]),
    ...(verdicts.length === 0 ? [] : [title('guardrails'), ...verdicts.map(verdictLine)]),
    ...(reasons.length === 0
      ? []
      : [title('reasons'), ...reasons.map((each) => line('  ', reasonText(each)))]),
    ...changeLines(explanation),
    // What a call without a decision was told stands above already.
    ...(error === null || explanation.notDecided !== null
      ? []
      : [title('error', `${error.code}: ${error.message}`)]),
    ...(cut.length === 0 ? [] : [title('cut', cut.join(', '))]),
    ...(masked.length === 0 ? [] : [title('masked', masked.join(', '))]),
  ]
  return lines.flatMap((each) => setLine(each, width, paint))
}
