import type { AnalysedGuardrail, AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'
import type { Formula } from './formula.ts'
import { isPossible } from './satisfy.ts'
import { anyBoolean } from './value-domain.ts'

/** Facts of a guardrail that are known when the whole text is there. */
const wholeTextFacts = ['text.chars', '*']
const isStream: Formula = {
  variable: 'request.stream',
  domain: anyBoolean,
  constraint: { missing: false, limit: { oneOf: [true] } },
}

/** The fact for which a guardrail needs the whole answer; undefined where a part of it will do. */
function wholeTextFact({ reads }: AnalysedGuardrail): string | undefined {
  return wholeTextFacts.find((fact) => reads.has(fact))
}

/** Whether a demand lets parts of a stream go out before the verdict; one that holds or comes after it says so. */
function letsPartsOut(demand: object): boolean {
  const mode: unknown = 'stream' in demand ? demand.stream : 'window'
  return mode === 'window'
}

/** Guardrails over answers that need the whole text, demanded for calls that may be streams. */
export function streamUnsafeGuardrails({ policies, guardrails }: AnalysedWorkspace): PlacedFinding[] {
  const rules = policies.flatMap(({ rules: own, asked }) => own.map((rule) => ({ rule, asked })))
  return rules.flatMap(({ rule, asked }) =>
    (rule.effects ?? []).flatMap((effect): PlacedFinding[] => {
      if (!('requireGuard' in effect) || effect.requireGuard.direction !== 'output') return []
      const guardrail = guardrails.find(({ id }) => id === effect.requireGuard.id)
      const fact = guardrail && wholeTextFact(guardrail)
      if (guardrail === undefined || fact === undefined || !letsPartsOut(effect.requireGuard)) return []
      if (!isPossible(asked, rule.when, isStream)) return []
      const what = fact === '*' ? 'facts that no analysis can name' : fact
      const message = `guardrail "${guardrail.id}" reads ${what}, which is known when the whole answer is there; a stream has been sent by then: demand it where request.stream is false, or check findings only`
      return [
        {
          file: rule.file,
          position: rule.thenPosition,
          severity: 'warning',
          code: 'stream_unsafe_guardrail',
          message,
        },
      ]
    }),
  )
}
