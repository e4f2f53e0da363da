import type { CallNames, RedactedSpan } from '@signalbox/policies'
import { type DetectorFinding, outputParts, type TextPart } from '@signalbox/sdk/contract'
import type { Settled } from './block-window.ts'
import type { Guard } from './guard.ts'
import { judgeText, type Outcome, type Surroundings } from './judge-text.ts'
import type { Found } from './text-findings.ts'

/** Findings of one stream that are kept. */
const findingsMax = 20_000

/** A guard in the course of a stream. */
export class StreamGuard {
  readonly guard: Guard
  outcome: Outcome | undefined
  readonly #findings: DetectorFinding[] = []
  readonly #scores = new Map<string, number>()
  scannedChars = 0
  deliveredChars = 0
  /** What is taken out of more than one block, in offsets of the text of all blocks. */
  across: readonly RedactedSpan[] = []

  constructor(guard: Guard) {
    this.guard = guard
  }

  looksAt(part: TextPart): boolean {
    return (this.guard.compiled.parts ?? outputParts).includes(part)
  }

  /** Judges with what was found so far. */
  judge(around: Surroundings, errors: readonly string[]): Outcome {
    const before = this.outcome
    const found = { findings: this.#findings, errors, scores: this.#scores }
    const outcome = judgeText(this.guard, { text: '', scannedChars: 0, found }, around)
    this.outcome = {
      ...outcome,
      fuel: outcome.fuel + (before?.fuel ?? 0),
      annotations: { ...before?.annotations, ...outcome.annotations },
    }
    return outcome
  }

  /** Takes what a scan of names found before there is any text; gives whether it found something. */
  takeNames(names: CallNames, offset: number): boolean {
    let isNew = false
    for (const [detector, { scan }] of this.guard.local) {
      if (this.guard.compiled.scan?.[detector]?.tools === undefined) continue
      for (const { kind } of scan('', names).findings) {
        this.#findings.push({ detector, kind, start: offset, end: offset })
        isNew = true
      }
    }
    return isNew
  }

  /**
   * Takes what was found in a part of a block that is to go out. `offset` is where the block begins in the text of all
   * blocks. Undefined where nothing is new, so that nothing has to be judged again.
   */
  take(
    settled: Settled,
    offset: number,
    names: CallNames,
  ): { readonly errors: readonly string[] } | undefined {
    const { findings, base, start, end } = settled
    const found = findings.of(this.guard, names)
    let isNew = found.errors.length > 0
    for (const finding of found.findings) {
      const at = finding.start + base
      if (finding.end === finding.start) continue
      if (at < start || at >= end || this.#findings.length >= findingsMax) continue
      this.#findings.push({ ...finding, start: at + offset, end: finding.end + base + offset })
      isNew = true
    }
    for (const [name, score] of found.scores) {
      if (score <= (this.#scores.get(name) ?? 0)) continue
      this.#scores.set(name, score)
      isNew = true
    }
    return isNew ? { errors: found.errors } : undefined
  }
  /**
   * Takes what begins in a block and ends in a later one. Undefined where there is nothing but what is known already.
   */
  takeAcross({ findings, errors }: Found): { readonly errors: readonly string[] } | undefined {
    const news = findings.filter(
      ({ start, end }) =>
        this.#findings.length < findingsMax &&
        !this.#findings.some((each) => each.start <= start && each.end >= end),
    )
    this.#findings.push(...news)
    return news.length + errors.length > 0 ? { errors } : undefined
  }
}
