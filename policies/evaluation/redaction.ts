import type { CompiledGuardrail, DetectorFinding, GuardrailAction } from '@signalbox/sdk/contract'

type Redact = Extract<GuardrailAction, { redact: unknown }>['redact']
/** A part of a text and what stands there instead. */
export interface RedactedSpan {
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** Kind of what is taken out, where it is put back later. */
  readonly reversible?: string
}

const replacementDefault = '[REDACTED]'

/** Which findings a redaction means: those that it names; where it names none and has no spans, all. */
function isMeant(
  finding: DetectorFinding,
  { detectors, kinds, spans }: Redact,
  known: readonly string[] | undefined,
) {
  if (detectors === undefined && kinds === undefined && spans !== undefined) return false
  const among = detectors ?? known
  if (among !== undefined && !among.includes(finding.detector)) return false
  return kinds === undefined || kinds.includes(finding.kind)
}

/**
 * What redactions take out of a text: all findings that they mean, not only those that the facts had room for, and
 * spans of their own. Spans that touch or overlap become one, with the replacement of the first, so that nothing of
 * what was found is left between two of them.
 */
export function redactedSpans(
  guardrail: Pick<CompiledGuardrail, 'detectors'>,
  redactions: readonly Redact[],
  findings: readonly DetectorFinding[],
): RedactedSpan[] {
  const spans = redactions.flatMap((redaction) => {
    const { with: written = replacementDefault, spans: own = [], reversible = false } = redaction
    const meant = findings.filter((finding) => isMeant(finding, redaction, guardrail.detectors))
    return [
      ...meant.map(({ kind, start, end }) => ({
        start,
        end,
        replacement: written.replaceAll('{kind}', () => kind),
        ...(reversible && { reversible: kind }),
      })),
      ...own.map(({ start, end }) => ({
        start,
        end,
        replacement: written,
        ...(reversible && { reversible: 'text' }),
      })),
    ]
  })
  const merged: RedactedSpan[] = []
  for (const span of spans
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1)
    if (last === undefined || span.start > last.end) merged.push(span)
    else merged[merged.length - 1] = { ...last, end: Math.max(last.end, span.end) }
  }
  return merged
}

/** A text without the given spans, which are in order and do not overlap. */
export function redactText(text: string, spans: readonly RedactedSpan[]): string {
  let at = 0
  let redacted = ''
  for (const { start, end, replacement } of spans) {
    if (start >= text.length) break
    redacted += text.slice(at, start) + replacement
    at = end
  }
  return redacted + text.slice(at)
}
