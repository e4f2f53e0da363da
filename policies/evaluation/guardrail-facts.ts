import {
  type CompiledGuardrail,
  type DetectorFinding,
  type GuardrailFacts,
  guardrailSpansMax,
} from '@signalbox/sdk/contract'

/** A text that detectors have looked at. */
export interface ScreenedText {
  readonly text: string
  /** How much of it was looked at, in UTF-16 units; all of it if left out. */
  readonly scannedChars?: number
  readonly findings: readonly DetectorFinding[]
  readonly detectorErrors?: readonly string[]
  readonly metadata: GuardrailFacts['metadata']
  /** Target that answers; of an output. */
  readonly target?: string
  readonly stream?: boolean
}
type Findings = GuardrailFacts['findings'][string]

const kindsMax = 64

/** The longest start of a text in so many bytes of UTF-8, not ending in half a character. */
function firstOf(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text.slice(0, bytesMax), 'utf8')
  let end = Math.min(bytes.length, bytesMax)
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** The longest end of a text in so many bytes of UTF-8. */
function lastOf(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text.slice(-bytesMax), 'utf8')
  let start = Math.max(0, bytes.length - bytesMax)
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.toString('utf8', start)
}

function textOf(
  { window = {} }: CompiledGuardrail,
  { text: written, scannedChars }: ScreenedText,
  truncated: string[],
): GuardrailFacts['text'] {
  const text = written.toWellFormed()
  const { firstBytes, lastBytes } = window
  const first = firstBytes === undefined ? undefined : firstOf(text, firstBytes)
  const last = lastBytes === undefined ? undefined : lastOf(text, lastBytes)
  if (first !== undefined && first.length < text.length) truncated.push('text.first')
  if (last !== undefined && last.length < text.length) truncated.push('text.last')
  return {
    chars: text.length,
    scannedChars: scannedChars ?? text.length,
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last, lastStart: text.length - last.length }),
  }
}

function findingsOf(found: readonly DetectorFinding[], room: number): Findings {
  const byKind = new Map<string, number>()
  let score: number | undefined
  for (const { kind, scorePpm } of found) {
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1)
    if (scorePpm !== undefined) score = Math.max(score ?? 0, scorePpm)
  }
  const kinds = [...byKind].slice(0, kindsMax)
  return {
    hits: found.length,
    kinds: kinds.map(([kind]) => kind).sort(),
    byKind: Object.fromEntries(kinds),
    spans: found.slice(0, room).map(({ detector: _, ...span }) => span),
    ...(score !== undefined && { scorePpm: score }),
  }
}

/**
 * The facts of a guardrail over a text: findings of the detectors that it reads, and of the text what its window
 * declares, nothing else. A detector that found nothing has no hits; one that failed is missing. At most
 * `guardrailSpansMax` spans are handed over; what was cut is named in `truncated`.
 */
export function guardrailFactsOf(guardrail: CompiledGuardrail, screened: ScreenedText): GuardrailFacts {
  const { findings: all, detectorErrors = [], metadata, target, stream = false } = screened
  const { direction, detectors = [...new Set(all.map(({ detector }) => detector))] } = guardrail
  const truncated: string[] = []
  const text = textOf(guardrail, screened, truncated)
  const findings: Record<string, Findings> = {}
  let room = guardrailSpansMax
  for (const detector of detectors) {
    if (detectorErrors.includes(detector)) continue
    const found = all.filter((finding) => finding.detector === detector)
    if (found.length > room) truncated.push(`findings.${detector}.spans`)
    findings[detector] = findingsOf(found, room)
    room = Math.max(0, room - found.length)
  }
  return {
    schema: 'guardrail-facts/1',
    direction,
    text,
    findings,
    detectorErrors: detectorErrors.filter((each) => guardrail.detectors?.includes(each) ?? true),
    metadata,
    ...(direction === 'output' && { target: target ?? '' }),
    stream,
    truncated,
  }
}
