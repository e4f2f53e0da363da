import { type CallNames, guardrailFactsOf, type RedactedSpan, redactedSpans } from '@signalbox/policies'
import type {
  CompiledGuardrail,
  DetectorFinding,
  GuardrailAction,
  GuardrailFacts,
} from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'
import type { Guard, LoadedGuardrail } from './guard.ts'
import type { Found, TextFindings } from './text-findings.ts'

/** What a guardrail says of a text. */
export interface Outcome {
  readonly verdict: 'pass' | 'fail' | 'error'
  readonly action?: GuardrailAction
  readonly rule?: string
  readonly code?: string
  /** Kind of what went wrong. */
  readonly error?: string
  /** What is to be taken out. */
  readonly spans: readonly RedactedSpan[]
  readonly hits: number
  readonly fuel: number
  readonly annotations: Readonly<Record<string, string>>
}
/** What guardrails may know of a call beside the text. */
export interface Surroundings {
  readonly snapshot: Snapshot
  readonly metadata: GuardrailFacts['metadata']
  readonly target: string | undefined
  readonly stream: boolean
  readonly names: CallNames
}
/** A text as a guardrail is shown it. */
export interface ShownText {
  readonly text: string
  readonly scannedChars: number
  readonly found: Found
}
/** Asks what is not known here: models, services. Throws where no answer comes. */
export type AskOthers = (guard: LoadedGuardrail, text: string) => Promise<Found>

/** Facts with the scores of scans, which no finding holds. */
function withScores(facts: GuardrailFacts, { scores }: Found): GuardrailFacts {
  if (scores.size === 0) return facts
  const findings = Object.entries(facts.findings).map(([name, each]) => {
    const scorePpm = scores.get(name)
    return [name, scorePpm === undefined ? each : { ...each, scorePpm }] as const
  })
  return { ...facts, findings: Object.fromEntries(findings) }
}

function factsOf(compiled: CompiledGuardrail, shown: ShownText, around: Surroundings): GuardrailFacts {
  const { text, scannedChars, found } = shown
  const facts = guardrailFactsOf(compiled, {
    text,
    scannedChars,
    findings: found.findings,
    detectorErrors: found.errors,
    metadata: around.metadata,
    stream: around.stream,
    ...(around.target !== undefined && { target: around.target }),
  })
  return withScores(facts, found)
}

/** Asks a guardrail, in the sandbox, about what was found in a text. */
export function judgeText(guardrail: LoadedGuardrail, shown: ShownText, around: Surroundings): Outcome {
  const { compiled, layer } = guardrail
  const { program, params } = around.snapshot
  const said = program.screen({
    layer,
    guardrail: compiled.id,
    facts: factsOf(compiled, shown, around),
    params,
  })
  const redactions = said.said.flatMap(({ action }) => ('redact' in action ? [action.redact] : []))
  const notes = said.said.flatMap(({ action }) => ('flag' in action ? [action.flag.annotate ?? {}] : []))
  const broken = said.verdict === 'error' ? (said.error?.kind ?? 'error') : undefined
  return {
    verdict: said.verdict,
    ...(said.action !== undefined && { action: said.action }),
    ...(said.rule !== undefined && { rule: said.rule }),
    ...(said.code !== undefined && { code: said.code }),
    ...(broken !== undefined && { error: broken }),
    spans: redactions.length === 0 ? [] : redactedSpans(compiled, redactions, shown.found.findings),
    hits: shown.found.findings.length,
    fuel: said.fuel,
    annotations: Object.assign({}, ...notes),
  }
}

/** An outcome of a guardrail that could not be asked. */
export function brokenOutcome(error: string): Outcome {
  return { verdict: 'error', error, spans: [], hits: 0, fuel: 0, annotations: {} }
}

function joined(one: Found, other: Found): Found {
  const all = { findings: [...one.findings] as DetectorFinding[], scores: new Map(one.scores) }
  for (const finding of other.findings) all.findings.push(finding)
  for (const [name, score] of other.scores) all.scores.set(name, score)
  return { ...all, errors: [...one.errors, ...other.errors] }
}

/** What a text is looked at with. */
export interface Looking {
  readonly findings: TextFindings
  /** The text was too long to be read to its end. */
  readonly isCut: boolean
  readonly around: Surroundings
  readonly ask: AskOthers
}

async function askOne(guardrail: LoadedGuardrail, looking: Looking): Promise<Outcome> {
  const { findings, isCut, around, ask } = looking
  const { text } = findings
  let found = findings.of(guardrail, around.names)
  if (guardrail.remote.size > 0) found = joined(found, await ask(guardrail, text))
  const reads = guardrail.compiled.reads ?? ['*']
  const seesLimits = reads.some((path) => path === '*' || path === 'text' || path === 'text.scannedChars')
  const outcome = judgeText(guardrail, { text, scannedChars: text.length, found }, around)
  const stops = outcome.action !== undefined && ('block' in outcome.action || 'refuse' in outcome.action)
  // What nobody looked at did not pass.
  return isCut && !seesLimits && !stops ? { ...outcome, verdict: 'error', error: 'notScanned' } : outcome
}

/** Asks the guardrails of a pipeline one after another, as far as their verdicts lead. Redactions add up. */
async function askPipeline({ compiled, steps }: Guard, looking: Looking): Promise<Outcome> {
  let all: Outcome = { verdict: 'pass', spans: [], hits: 0, fuel: 0, annotations: {} }
  for (const [index, step] of steps.entries()) {
    const { onPass = 'next', onFail = 'act', onError = 'block' } = compiled.pipeline?.[index] ?? {}
    const own = await askOne(step, looking)
    const rule = `${step.compiled.id}${own.rule === undefined ? '' : `/${own.rule}`}`.slice(0, 128)
    const annotations = { ...all.annotations, ...own.annotations }
    const [hits, fuel] = [all.hits + own.hits, all.fuel + own.fuel]
    all = { ...all, hits, fuel, annotations }
    if (own.verdict === 'error' && onError === 'block')
      return { ...all, verdict: 'error', error: own.error ?? 'error', rule }
    const then = own.verdict === 'pass' ? onPass : own.verdict === 'fail' ? onFail : onError
    if (then === 'act') {
      const stops = own.action !== undefined && ('block' in own.action || 'refuse' in own.action)
      const spans = [...all.spans, ...own.spans]
      all = { ...own, hits, fuel, annotations, rule, spans }
      if (stops) return all
    } else if (then === 'allow') return all
  }
  return all
}

/** Asks a guard about a whole text. What breaks is a verdict, never an exception. */
export async function askGuard(guard: Guard, looking: Looking): Promise<Outcome> {
  try {
    return await (guard.steps.length === 0 ? askOne(guard, looking) : askPipeline(guard, looking))
  } catch (error) {
    return brokenOutcome(error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'unavailable')
  }
}
