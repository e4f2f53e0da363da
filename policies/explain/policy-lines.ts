import type { ExplainedCondition, ExplainedPolicy, ExplainedRule } from '@signalbox/sdk/contract'
import { capsText } from './effect-text.ts'
import type { Segment, TextLine, Tone } from './text-layout.ts'

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
const outcomeTone: Readonly<Partial<Record<ExplainedPolicy['outcome'], Tone>>> = {
  denied: 'bad',
  failed: 'bad',
  narrowed: 'warn',
  chosen: 'good',
}
const marks: Readonly<Record<ExplainedCondition['outcome'], readonly [text: string, tone: Tone]>> = {
  true: ['TRUE', 'good'],
  false: ['FALSE', 'warn'],
  threw: ['THREW', 'bad'],
  unknown: ['unknown', 'warn'],
  notEvaluated: ['not evaluated', 'dim'],
}
const markWidth = 'not evaluated'.length

/** Candidates that are named; the JSON has all. */
const removedMax = 8
const nameWidthMax = 36

function conditionLine({ outcome, shown }: ExplainedCondition): TextLine {
  const [text, tone] = marks[outcome]
  return {
    head: [{ text: '      ' }, { text: text.padEnd(markWidth), tone }, { text: '  ' }],
    body: [{ text: shown, tone: outcome === 'notEvaluated' ? 'dim' : 'plain' }],
  }
}

function ruleLines(rule: ExplainedRule, single: boolean): TextLine[] {
  const isShown = rule.conditions.length > 0 || rule.outcome === 'matched'
  // What was not asked has nothing to say; its id is enough.
  const conditions = rule.outcome === 'notAsked' ? [] : rule.conditions
  if (!isShown && single) return []
  const what: Segment[] =
    rule.outcome === 'notAsked'
      ? [{ text: 'not asked', tone: 'dim' }]
      : rule.effects.map((text, index) => ({ text: `${index === 0 ? '→' : 'and'} ${text}`, tone: 'strong' }))
  const always: Segment[] =
    rule.conditions.length === 0 && rule.outcome === 'matched' ? [{ text: 'always' }] : []
  return [
    { head: [{ text: `    ${rule.id}:${rule.line}  ` }], body: [...always, ...what] },
    ...conditions.map(conditionLine),
  ]
}

function narrowingLines({ narrowing }: ExplainedPolicy): TextLine[] {
  const removed = narrowing?.removed ?? []
  const width = Math.max(0, ...removed.map(({ target }) => target.length))
  const shown = removed.slice(0, removedMax).map(
    ({ target, why }): TextLine => ({
      head: [{ text: `      - ${target.padEnd(width)}  ` }],
      body: [{ text: why, tone: 'dim' }],
    }),
  )
  const rest = removed.length - shown.length
  return rest === 0 ? shown : [...shown, { head: [{ text: `      and ${rest} more` }], body: [] }]
}

const nameOf = ({ workspace, id }: ExplainedPolicy): string => `${workspace}/${id}`

/** Room for the names of policies that stand below each other; a very long one does not push the others away. */
export function nameWidthOf(policies: readonly ExplainedPolicy[]): number {
  return Math.min(nameWidthMax, Math.max(0, ...policies.map((policy) => nameOf(policy).length)))
}

/** One policy: its outcome, what it took away, its rules with their conditions. */
export function policyLines(policy: ExplainedPolicy, nameWidth: number): TextLine[] {
  const { outcome, rule, file, narrowing, rules } = policy
  const left = narrowing === null ? '' : ` ${narrowing.before} → ${narrowing.after}`
  const by = rule === null ? '' : ` → rule ${rule}`
  const caps = capsText(policy.caps)
  const demands = [...caps, ...policy.guardrails.map((each) => `guard ${each}`)]
  const lines: TextLine[] = [
    {
      head: [{ text: `  ${nameOf(policy).padEnd(nameWidth)}  `, tone: 'strong' }],
      body: [
        { text: `${outcomeText[outcome]}${left}${by}`, tone: outcomeTone[outcome] ?? 'dim' },
        ...(file === null ? [] : [{ text: file, tone: 'dim' } as const]),
      ],
    },
  ]
  if (policy.error !== undefined) {
    const { kind, message } = policy.error
    lines.push({ head: [{ text: '      ' }], body: [{ text: `${kind}: ${message}`, tone: 'bad' }] })
  }
  lines.push(...narrowingLines(policy))
  if (demands.length > 0) lines.push({ head: [{ text: '      ' }], body: [{ text: demands.join('; ') }] })
  const isAsked = outcome !== 'notApplicable' && outcome !== 'notReached'
  return isAsked ? [...lines, ...rules.flatMap((each) => ruleLines(each, rules.length === 1))] : lines
}
