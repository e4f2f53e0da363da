import type { GuardrailScanOptions } from '@signalbox/sdk/contract'
import type { Match, Scan } from '../detectors/detector.ts'
import { aboutAll, type GuardrailKind } from './guardrail-kind.ts'

const whole = 1_000_000
const modelDefault = 'omni-moderation-latest'
const kindCharsMax = 64

/** OpenAI's moderation endpoint: POST /v1/moderations (platform.openai.com/docs/api-reference/moderations). */
export const moderation: GuardrailKind<'moderation'> = {
  kind: 'moderation',
  check: () => undefined,
  hold: () => undefined,
}

export function moderationRequest(
  { model = modelDefault }: GuardrailScanOptions<'moderation'>,
  text: string,
): object {
  return { model, input: text }
}

/** Categories that were found, with their scores. Throws an Error where the answer is none. */
export function readModeration(
  { thresholds }: GuardrailScanOptions<'moderation'>,
  answer: unknown,
  text: string,
): Scan<string> {
  const results: unknown = Object(answer).results
  if (!Array.isArray(results) || results.length === 0) throw new Error('the answer has no results')
  const findings: Match[] = []
  let highest = 0
  for (const result of results) {
    const { categories, category_scores: scores } = Object(result)
    for (const [name, score] of Object.entries(Object(scores))) {
      const scorePpm = Math.round(Number(score) * whole)
      highest = Math.max(highest, scorePpm)
      const limit = thresholds?.[name]
      const isFound =
        thresholds === undefined
          ? Object(categories)[name] === true
          : limit !== undefined && scorePpm >= limit
      if (isFound) findings.push(aboutAll(name.slice(0, kindCharsMax), text))
    }
  }
  return { findings, scorePpm: Math.min(whole, highest) }
}
