import type { CompiledGuardrail, DetectorFinding, GuardrailFacts } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import { actionName, codeOf } from '../evaluation/guardrail-actions.ts'
import { guardrailFactsOf } from '../evaluation/guardrail-facts.ts'
import { redactedSpans, redactText } from '../evaluation/redaction.ts'
import { createScan } from '../guardrail-kinds/all-kinds.ts'
import type { GuardrailEvaluation } from '../program.ts'
import { guardrailBreaksOf } from './breaks.ts'
import { CaseError } from './case-facts.ts'
import type { CaseRun, ReadyCase } from './case-run.ts'
import type { GuardrailSuite } from './cases-file.ts'
import { checkParams } from './evaluate-case.ts'
import { differences } from './expectation.ts'

type GuardrailCase = GuardrailSuite['cases'][number]
type GivenFindings = NonNullable<GuardrailCase['findings']>[string]

/** What a guardrail's own scans find in the text of a case, but for those that are given or ask others. */
function scannedIn(given: GuardrailCase, { scan = {} }: CompiledGuardrail): DetectorFinding[] {
  const { text = '', findings = {}, target } = given
  const names = { models: target === undefined ? [] : [target], tools: [] }
  return Object.entries(scan).flatMap(([detector, each]) => {
    if (Object.hasOwn(findings, detector) || given.detectorErrors?.includes(detector) === true) return []
    const found = createScan(each)?.scan(text, names).findings ?? []
    return found.map(({ kind, start, end }) => ({ detector, kind, start, end }))
  })
}

function spansOf(given: GuardrailCase, guardrail: CompiledGuardrail): DetectorFinding[] {
  const own = Object.entries(given.findings ?? {}).flatMap(([detector, { spans = [] }]) =>
    spans.map((span) => ({ detector, ...span })),
  )
  return [...own, ...scannedIn(given, guardrail)]
}

/** Findings as a case gives them: what it does not say follows from its spans. */
function laidOver(
  made: GuardrailFacts['findings'][string] | undefined,
  { spans: _, ...given }: GivenFindings,
): GuardrailFacts['findings'][string] {
  const base = made ?? { hits: 0, kinds: [], byKind: {}, spans: [] }
  const { kinds: [kind, second] = [], hits } = given
  const isOne = kind !== undefined && second === undefined && hits !== undefined
  return { ...base, ...(isOne && { byKind: { [kind]: hits } }), ...given }
}

/** Facts as the host would build them. Findings are given, not made: detectors are tested where they are. */
function factsOf(given: GuardrailCase, guardrail: CompiledGuardrail): GuardrailFacts {
  const { text = '', scannedChars, detectorErrors = [], metadata = {}, target, stream = false } = given
  for (const detector of [...Object.keys(given.findings ?? {}), ...detectorErrors]) {
    if (guardrail.detectors?.includes(detector) !== false) continue
    const read = guardrail.detectors?.join(', ') || 'none'
    const message = `the guardrail "${guardrail.id}" does not read the detector "${detector}", it reads ${read}${didYouMean(detector, guardrail.detectors ?? [])}`
    throw new CaseError(message, given.findings?.[detector] === undefined ? [] : ['findings', detector])
  }
  const facts = guardrailFactsOf(guardrail, {
    text,
    findings: spansOf(given, guardrail),
    detectorErrors,
    metadata,
    stream,
    ...(scannedChars !== undefined && { scannedChars }),
    ...(target !== undefined && { target }),
  })
  const findings = Object.entries(given.findings ?? {}).map(
    ([detector, each]) => [detector, laidOver(facts.findings[detector], each)] as const,
  )
  return { ...facts, findings: { ...facts.findings, ...Object.fromEntries(findings) } }
}

/** What a case can expect by name. */
function namedOf(
  { verdict, rule, code, action, said, error }: GuardrailEvaluation,
  given: GuardrailCase,
  guardrail: CompiledGuardrail,
): Readonly<Record<string, unknown>> {
  const redactions = said.flatMap((each) => ('redact' in each.action ? [each.action.redact] : []))
  const spans = redactedSpans(guardrail, redactions, spansOf(given, guardrail))
  const body = action === undefined ? undefined : Object.values(action)[0]
  return {
    verdict,
    action: actionName(action),
    rule,
    code,
    message: Object(body).message,
    said: said.map((each) => ({
      rule: each.rule,
      action: actionName(each.action),
      code: codeOf(each.action),
    })),
    redacted: redactions.length === 0 ? undefined : redactText(given.text ?? '', spans),
    error: error?.kind,
  }
}

/**
 * The cases of a file about a guardrail.
 * @throws CaseError where the version has no such guardrail.
 */
export function readyGuardrailCases(suite: GuardrailSuite, run: CaseRun): ReadyCase[] {
  const { guardrails, name } = run.compiled
  const found = guardrails.find(({ id }) => id === suite.guardrail)
  if (found === undefined) {
    const near = didYouMean(
      suite.guardrail,
      guardrails.map(({ id }) => id),
    )
    throw new CaseError(`there is no guardrail "${suite.guardrail}"${near}`, ['guardrail'])
  }
  if (found.pipeline !== undefined) {
    throw new CaseError(`the guardrail "${found.id}" is a pipeline: its guardrails have cases`, ['guardrail'])
  }
  const rules = (found.rules ?? []).map(({ id }) => id)
  return suite.cases.map((each, index) => ({
    name: each.name,
    index,
    run() {
      const program = run.program(suite.environment ?? 'development')
      const facts = factsOf(each, found)
      const breaks = guardrailBreaksOf(each.throw, found, run)
      checkParams(each.params ?? {}, run)
      const params = { [name]: each.params ?? {} }
      const evaluation = program.screen({
        layer: 0,
        guardrail: found.id,
        facts,
        params,
        ...(breaks !== undefined && { breaks }),
      })
      const factsBytes = Buffer.byteLength(JSON.stringify(facts))
      run.fuel.add(`guardrail ${found.id}`, { fuel: evaluation.fuel, factsBytes })
      run.coverage.addVerdict(evaluation, rules)
      return differences(each.expect ?? {}, { named: namedOf(evaluation, each, found) })
    },
  }))
}
