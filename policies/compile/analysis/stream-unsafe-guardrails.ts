import type { CompiledGuardrail } from '@signalbox/sdk/contract'
import { streamNeedOf } from '../../guardrail-kinds/stream-holds.ts'
import type { Finding } from '../problem-list.ts'
import type { AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'
import type { Formula } from './formula.ts'
import { isPossible } from './satisfy.ts'
import { anyBoolean } from './value-domain.ts'

const isStream: Formula = {
  variable: 'request.stream',
  domain: anyBoolean,
  constraint: { missing: false, limit: { oneOf: [true] } },
}

/** How a demand and its guardrail say that streams go out; undefined where neither does. */
function modeOf(demand: object, { stream }: CompiledGuardrail): string | undefined {
  const mode: unknown = 'stream' in demand ? demand.stream : undefined
  return typeof mode === 'string' ? mode : stream
}

/** What a demand means for streams, where its guardrail needs the whole answer; undefined where all is said. */
function objectionTo(demand: object, guardrail: CompiledGuardrail): Finding | undefined {
  const mode = modeOf(demand, guardrail)
  const need = streamNeedOf(guardrail)
  const why =
    guardrail.pipeline === undefined ? ('whole' in need ? need.whole : undefined) : 'it is a pipeline'
  if (why === undefined || mode === 'hold' || mode === 'post') return undefined
  const code = 'stream_unsafe_guardrail'
  if (mode === 'window') {
    const message = `guardrail "${guardrail.id}" is no guardrail for parts of an answer: ${why}; its "stream" is hold or post`
    return { code, message }
  }
  const message = `guardrail "${guardrail.id}" is known when the whole answer is there (${why}): streams are held until their end; demand it where request.stream is false, or say "stream": "hold" or "post"`
  return { code, message, severity: 'warning' }
}

/** Guardrails over answers that need the whole text, demanded for calls that may be streams. */
export function streamUnsafeGuardrails({ policies, compiled }: AnalysedWorkspace): PlacedFinding[] {
  const rules = policies.flatMap(({ rules: own, asked }) => own.map((rule) => ({ rule, asked })))
  return rules.flatMap(({ rule, asked }) =>
    (rule.effects ?? []).flatMap((effect): PlacedFinding[] => {
      if (!('requireGuard' in effect) || effect.requireGuard.direction !== 'output') return []
      const guardrail = compiled.guardrails.find(({ id }) => id === effect.requireGuard.id)
      const objection = guardrail && objectionTo(effect.requireGuard, guardrail)
      if (objection === undefined || !isPossible(asked, rule.when, isStream)) return []
      return [{ file: rule.file, position: rule.thenPosition, ...objection }]
    }),
  )
}
