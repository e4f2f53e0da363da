import { didYouMean } from '../compile/near-name.ts'
import type { GuardrailFacts } from '../program.ts'
import { CaseError } from './case-facts.ts'
import type { CaseRun, ReadyCase } from './case-run.ts'
import type { GuardrailSuite } from './cases-file.ts'
import { differences } from './expectation.ts'

type GuardrailCase = GuardrailSuite['cases'][number]

function factsOf(each: GuardrailCase, direction: 'input' | 'output'): GuardrailFacts {
  const findings = Object.entries(each.findings ?? {}).map(([detector, { kinds = [], ...finding }]) => [
    detector,
    { ...finding, kinds },
  ])
  return {
    schema: 'guardrail-facts/1',
    direction,
    text: { chars: [...(each.text ?? '')].length },
    findings: Object.fromEntries(findings),
    detectorErrors: each.detectorErrors ?? [],
    metadata: each.metadata ?? {},
  }
}

/**
 * The cases of a file about a guardrail. Findings are given, not made: detectors are tested where they are.
 * @throws CaseError where the version has no such guardrail.
 */
export function readyGuardrailCases(suite: GuardrailSuite, run: CaseRun): ReadyCase[] {
  const { guardrails } = run.compiled
  const found = guardrails.find(({ id }) => id === suite.guardrail)
  if (found === undefined) {
    const near = didYouMean(
      suite.guardrail,
      guardrails.map(({ id }) => id),
    )
    throw new CaseError(`there is no guardrail "${suite.guardrail}"${near}`)
  }
  return suite.cases.map((each, index) => ({
    name: each.name,
    index,
    run() {
      const program = run.program(suite.environment ?? 'development')
      const facts = factsOf(each, found.direction)
      const { verdict, action, error, fuel } = program.screen({ layer: 0, guardrail: found.id, facts })
      run.countFuel(fuel)
      const said = action === undefined ? undefined : 'block' in action ? action.block : action.flag
      const kind = action === undefined ? undefined : 'block' in action ? 'block' : 'flag'
      return differences(each.expect, {
        named: { verdict, action: kind, code: said?.code, error: error?.kind },
      })
    },
  }))
}
