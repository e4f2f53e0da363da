import { type CallNames, detectors, type Match, type Scan } from '@signalbox/policies'
import type { DetectorFinding, DetectorId } from '@signalbox/sdk/contract'
import type { LoadedGuardrail } from './guard.ts'

/** A scan names at most so many findings; where it named as many, the rest of the text is scanned again. */
const findingsPerScan = 1000
const scansMax = 20

/** What was found in a text for a guardrail. */
export interface Found {
  readonly findings: readonly DetectorFinding[]
  /** Names of what could not look. */
  readonly errors: readonly string[]
  readonly scores: ReadonlyMap<string, number>
}

/** All findings of a scan, however many there are. Throws where there are more than anybody can want. */
function scanAll(scan: (text: string) => Scan<string>, text: string): Scan<string> {
  const first = scan(text)
  if (first.findings.length < findingsPerScan) return first
  const all: Match<string>[] = [...first.findings]
  for (let scans = 1, last = first; last.findings.length >= findingsPerScan; scans++) {
    if (scans >= scansMax) throw new Error('too many findings')
    const from = all.at(-1)?.end ?? text.length
    last = scan(text.slice(from))
    for (const { kind, start, end } of last.findings) all.push({ kind, start: start + from, end: end + from })
  }
  return { ...first, findings: all }
}

/** A text, and what was found in it: every built-in detector looks once, however many guardrails read it. */
export class TextFindings {
  readonly text: string
  readonly #built = new Map<DetectorId, Scan<string> | undefined>()

  constructor(text: string) {
    this.text = text
  }

  #scanned(id: DetectorId): Scan<string> | undefined {
    if (!this.#built.has(id))
      this.#built.set(
        id,
        attempt(() => scanAll((text) => detectors[id].scan(text), this.text)),
      )
    return this.#built.get(id)
  }

  /** Runs what a guardrail reads, but for what asks others. */
  of({ detectors: ids, local, missing }: LoadedGuardrail, names: CallNames): Found {
    const findings: DetectorFinding[] = []
    const errors = [...missing]
    const scores = new Map<string, number>()
    const add = (name: string, scanned: Scan<string> | undefined): void => {
      if (scanned === undefined) errors.push(name)
      else addScan({ findings, scores }, name, scanned)
    }
    for (const id of ids) add(id, this.#scanned(id))
    for (const [name, ready] of local) {
      add(
        name,
        attempt(() => scanAll((text) => ready.scan(text, names), this.text)),
      )
    }
    return { findings, errors, scores }
  }
}

/** What broke is a detector, and its message may hold the text: nothing of it is kept. */
function attempt(scan: () => Scan<string>): Scan<string> | undefined {
  try {
    return scan()
  } catch {
    return undefined
  }
}

/** Adds what a scan found, under its name. */
export function addScan(
  to: { readonly findings: DetectorFinding[]; readonly scores: Map<string, number> },
  detector: string,
  { findings, scorePpm }: Scan<string>,
): void {
  for (const { kind, start, end } of findings) to.findings.push({ detector, kind, start, end })
  if (scorePpm !== undefined) to.scores.set(detector, scorePpm)
}
