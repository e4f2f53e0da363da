/** Calls of one kind, with the first of them. */
export interface Counted {
  readonly what: string
  readonly calls: number
  readonly examples: readonly string[]
}
export interface Moved {
  readonly from: string
  readonly to: string
  readonly calls: number
  readonly examples: readonly string[]
}
interface Spend {
  readonly lowNanoUsd: string
  readonly highNanoUsd: string
  readonly unpriced: number
  readonly estimated: number
}
interface Quantiles {
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}
export const dimensions = ['outcome', 'target', 'rule', 'guardrails', 'prompt'] as const

/** What is shown of the document of `signalbox backtest --json`. */
export interface Report {
  readonly ok: boolean
  readonly candidate: { readonly workspace: string; readonly digest: string }
  readonly baseline: { readonly version: number | null; readonly digest: string } | null
  readonly replay: {
    readonly ok: boolean
    readonly records: number
    readonly decided: number
    readonly different: number
    readonly replayablePpm: number | null
    readonly notReplayable: readonly Counted[]
    readonly sinceMs: number | null
    readonly untilMs: number | null
  }
  readonly compared: number
  readonly changed: number
  readonly changedPpm: number | null
  readonly unanswerable: readonly Counted[]
  readonly assumed: readonly Counted[]
  readonly transitions: Readonly<Record<(typeof dimensions)[number], readonly Moved[]>>
  readonly cohorts: readonly {
    readonly by: string
    readonly name: string
    readonly compared: number
    readonly changed: number
    readonly examples: readonly string[]
  }[]
  readonly deadRules: readonly { readonly rule: string; readonly before: number }[]
  readonly reasons: readonly { readonly code: string; readonly before: number; readonly after: number }[]
  readonly failures: readonly Counted[]
  readonly cost: {
    readonly before: Spend
    readonly after: Spend
    readonly changeLowPpm: number | null
    readonly changeHighPpm: number | null
  }
  readonly latency: { readonly before: Quantiles; readonly after: Quantiles; readonly unknown: number }
  readonly thresholds: readonly { readonly passed: boolean; readonly text: string }[]
  readonly assumptions: readonly string[]
}

/** The form that a document must have: a type by name, a list of a form, or members. */
type Form =
  | 'number'
  | 'string'
  | 'boolean'
  | 'number?'
  | 'any'
  | readonly [Form]
  | { readonly [name: string]: Form }

const counted: Form = [{ what: 'string', calls: 'number', examples: ['string'] }]
const moved: Form = [{ from: 'string', to: 'string', calls: 'number', examples: ['string'] }]
const spend: Form = { lowNanoUsd: 'string', highNanoUsd: 'string', unpriced: 'number', estimated: 'number' }
const quantiles: Form = { p50Ms: 'number?', p95Ms: 'number?' }
const form: Form = {
  ok: 'boolean',
  candidate: { workspace: 'string', digest: 'string' },
  baseline: 'any',
  replay: {
    ...{ ok: 'boolean', records: 'number', decided: 'number', different: 'number' },
    ...{ replayablePpm: 'number?', notReplayable: counted, sinceMs: 'number?', untilMs: 'number?' },
  },
  ...{ compared: 'number', changed: 'number', changedPpm: 'number?' },
  ...{ unanswerable: counted, assumed: counted, failures: counted },
  transitions: Object.fromEntries(dimensions.map((name) => [name, moved])),
  cohorts: [{ by: 'string', name: 'string', compared: 'number', changed: 'number', examples: ['string'] }],
  deadRules: [{ rule: 'string', before: 'number' }],
  reasons: [{ code: 'string', before: 'number', after: 'number' }],
  cost: { before: spend, after: spend, changeLowPpm: 'number?', changeHighPpm: 'number?' },
  latency: { before: quantiles, after: quantiles, unknown: 'number' },
  thresholds: [{ passed: 'boolean', text: 'string' }],
  assumptions: ['string'],
}

/** Where a value does not have the form; undefined where it has. */
function misfit(value: unknown, wanted: Form, path: string): string | undefined {
  if (wanted === 'any') return undefined
  if (wanted === 'number?') return value === null || typeof value === 'number' ? undefined : path
  if (typeof wanted === 'string') return typeof value === wanted ? undefined : path
  if (Array.isArray(wanted)) {
    const [member] = wanted as readonly [Form]
    if (!Array.isArray(value)) return path
    return value.map((each, at) => misfit(each, member, `${path}[${at}]`)).find((each) => each !== undefined)
  }
  if (typeof value !== 'object' || value === null) return path
  const members = new Map(Object.entries(value))
  return Object.entries(wanted)
    .map(([name, inner]) => misfit(members.get(name), inner, path === '' ? name : `${path}.${name}`))
    .find((each) => each !== undefined)
}

function isReport(value: unknown): value is Report {
  return misfit(value, form, '') === undefined
}

/**
 * The report of a file that `signalbox backtest --json` wrote, or the impact of one of `signalbox plan --json`.
 * @throws Error that says what is wrong with it.
 */
export function readReport(text: string): Report {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw new Error('The file is not JSON. `signalbox backtest --json > report.json` writes one.')
  }
  const members = new Map(Object.entries(Object(document)))
  if (members.has('weakened') && members.get('impact') === null) {
    throw new Error(
      `The plan has no impact: ${String(members.get('whyNoImpact') ?? 'it was not asked for')}.`,
    )
  }
  const report: unknown = members.has('weakened') ? members.get('impact') : document
  if (isReport(report)) return report
  const where = misfit(report, form, '')
  throw new Error(
    `The file is no report of a backtest: ${where === '' ? 'it is no object' : `"${where}" is not as expected`}.`,
  )
}
