import { type CallNames, detectors, type Match, type Scan } from '@signalbox/policies'
import type { DetectorFinding, DetectorId } from '@signalbox/sdk/contract'
import type { LoadedGuardrail } from './guard.ts'
import { matchesAcross, type Seam } from './seams.ts'

/** A scan names at most so many findings; where it named as many, the rest of the text is scanned again. */
const findingsPerScan = 1000
const scansMax = 20

/** What is found by its characters alone, wherever it stands; others judge a text as a whole. */
const seamDetectors: ReadonlySet<string> = new Set(['pii', 'secrets'])
const seamKinds: ReadonlySet<string> = new Set(['regex', 'terms', 'urls'])

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
  readonly #seams: readonly Seam[]
  /** What the texts hide apart is all that is wanted. */
  readonly #isBorder: boolean
  readonly #built = new Map<DetectorId, Scan<string> | undefined>()

  constructor(text: string, seams: readonly Seam[] = [], isBorder = false) {
    this.text = text
    this.#seams = seams
    this.#isBorder = isBorder
  }

  #scanned(id: DetectorId): Scan<string> | undefined {
    if (!this.#built.has(id))
      this.#built.set(
        id,
        attempt(() => {
          const scan = (text: string): Scan<string> => detectors[id].scan(text)
          return this.#looked(scan, seamDetectors.has(id))
        }),
      )
    return this.#built.get(id)
  }

  /** All findings, those too that begin in one text and end in the next: the texts apart hide them. */
  #looked(scan: (text: string) => Scan<string>, isOfSeams: boolean): Scan<string> {
    if (this.#isBorder && !isOfSeams) return { findings: [] }
    const found = scanAll(scan, this.text)
    if (this.#seams.length === 0 || !isOfSeams) return found
    const across = matchesAcross(this.text, {
      seams: this.#seams,
      isWhole: this.#isBorder,
      scan: (text) => scanAll(scan, text).findings,
    })
    const inOne = ({ start, end }: Match<string>): boolean =>
      this.#seams.every((seam) => start >= seam.start || end <= seam.end)
    const known = this.#isBorder ? found.findings.filter(inOne) : found.findings
    const added = across.filter(
      ({ start, end }) => !known.some((each) => each.start <= start && each.end >= end),
    )
    if (this.#isBorder) return { findings: added }
    if (added.length === 0) return found
    return { ...found, findings: [...known, ...added].sort((a, b) => a.start - b.start) }
  }

  /** Runs what a guardrail reads, but for what asks others. */
  of({ compiled, detectors: ids, local, missing }: LoadedGuardrail, names: CallNames): Found {
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
        attempt(() => {
          const scan = (text: string): Scan<string> => ready.scan(text, names)
          const kind = Object.keys(compiled.scan?.[name] ?? {})[0] ?? ''
          return this.#looked(scan, seamKinds.has(kind))
        }),
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
