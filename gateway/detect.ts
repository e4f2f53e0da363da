import { type Detector, detectors } from '@signalbox/policies'
import { type DetectorId, type DetectorSignals, type Facts, Refusal } from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import { type CallText, textOfCall } from './call-texts.ts'
import { sensitivityOf } from './sensitivity.ts'
import type { WantedSignals } from './wanted-signals.ts'

export type Detectors = { readonly [Id in DetectorId]: Detector<Id> }

// Members of every object stand in the order of their names, as in all facts.

function signalOf(detector: Detectors[DetectorId], text: string): NonNullable<DetectorSignals[DetectorId]> {
  const { findings, scorePpm } = detector.scan(text)
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort()
  return { hits: findings.length, kinds, ...(scorePpm !== undefined && { scorePpm }) } as NonNullable<
    DetectorSignals[DetectorId]
  >
}

/** The text, or nothing where the conversation has no canonical form: or too deep a one: its
 * own provider may still know what it means. */
function textOf(call: Call): CallText | undefined {
  try {
    return textOfCall(call)
  } catch (error) {
    if (error instanceof Refusal || error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * Runs the detectors that policies read over the text of a call; none of the text is kept. A detector that fails is
 * named among the errors and has no signal, so that no policy takes its silence for a clean text.
 */
export function detect(
  call: Call,
  wanted: WantedSignals,
  claim: string | number | boolean | undefined,
  known: Detectors = detectors,
): Facts['data'] {
  const scanned = textOf(call)
  const signals: Record<string, unknown> = {}
  const errors: DetectorId[] = []
  for (const id of wanted.detectors) {
    try {
      if (scanned === undefined) errors.push(id)
      else signals[id] = signalOf(known[id], scanned.text)
    } catch {
      // What broke is a detector, and its message may hold the text.
      errors.push(id)
    }
  }
  const { chars = 0, totalChars = call.summary.messages.chars } = scanned ?? {}
  return {
    detectorErrors: errors,
    detectors: signals as DetectorSignals,
    scanned: { chars, totalChars },
    ...(wanted.sensitivity && { sensitivity: sensitivityOf(claim, signals as DetectorSignals, errors) }),
  }
}
