import type { RedactedSpan, StreamHold } from '@signalbox/policies'
import { escapeJson, unescapeJson } from './escapes.ts'
import { isRun, runCharsMax } from './seams.ts'
import { TextFindings } from './text-findings.ts'

/** Characters that were let out and are scanned again, as what comes before a match explains it. */
const contextChars = 512
/** More than this is never held back. */
export const heldCharsMax = 65_536
/** New characters that are worth a scan; more where more is held, so that scanning stays linear. */
const stepCharsMin = 32

/** A part of a block's text that can go out, once it was looked at. Offsets are of the whole block. */
export interface Settled {
  readonly start: number
  readonly end: number
  /** Findings of the text around it; offsets are of the text in `findings.text`, which begins at `base`. */
  readonly findings: TextFindings
  readonly base: number
}
/** Looks at what is to go out; gives what is taken out of it, in offsets of the block; undefined: nothing goes out. */
export type Look = (settled: Settled) => readonly RedactedSpan[] | undefined
/** Finds where matches lie that may reach beyond a place. Offsets are of the scanned text. */
export type Unsettled = (findings: TextFindings, cut: number) => number

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/**
 * The text of one block of a stream: holds back so much of its end that no match goes out before it was found whole,
 * and no more. Arguments of tools are read with their escapes, and let out as they were written.
 */
export class BlockWindow {
  readonly #nested: boolean
  readonly #hold: StreamHold
  /** Let out, read. */
  #context = ''
  /** Held, as written. */
  #pending = ''
  /** Units of the block, read, that were let out. */
  #released = 0
  #unscanned = 0
  /** Something was taken out of it. */
  changed = false
  /** Units, read, that went out as they came. */
  deliveredChars = 0
  scannedChars = 0

  constructor(hold: StreamHold, nested: boolean) {
    this.#hold = hold
    this.#nested = nested
  }

  /** What is held and what was let out before it, as written; `base` is where it begins in the block. */
  get latest(): { readonly text: string; readonly base: number } {
    return { text: this.#context + this.#pending, base: this.#released - this.#context.length }
  }

  /** Takes a piece; gives what can go out after it. */
  push(text: string, look: Look, unsettled: Unsettled): string {
    this.#pending += text
    this.#unscanned += text.length
    const wanted = Math.max(stepCharsMin, this.#pending.length >> 3)
    return this.#unscanned < wanted ? '' : this.#step(false, look, unsettled)
  }

  /** Nothing more comes: gives all that is left. */
  end(look: Look, unsettled: Unsettled): string {
    return this.#pending === '' ? '' : this.#step(true, look, unsettled)
  }

  #step(isFinal: boolean, look: Look, unsettled: Unsettled): string {
    this.#unscanned = 0
    const { text, offsets, consumed } = this.#nested
      ? unescapeJson(this.#pending)
      : { text: this.#pending, offsets: undefined, consumed: this.#pending.length }
    const buffer = this.#context + text
    const from = this.#context.length
    const base = this.#released - from
    const findings = new TextFindings(buffer)
    const cut = isFinal ? buffer.length : this.#cut(buffer, from, findings, unsettled)
    this.scannedChars = Math.max(this.scannedChars, base + buffer.length)
    if (cut <= from && !isFinal) return ''
    const spans = look({ start: base + from, end: base + cut, findings, base })
    if (spans === undefined) return ''
    const rawCut = isFinal ? this.#pending.length : (offsets?.[cut - from] ?? cut - from)
    const written = this.#pending.slice(0, isFinal ? consumed : rawCut)
    const rest = isFinal ? this.#pending.slice(consumed) : ''
    const out = this.#redacted(written, spans, { offsets, cut: cut - from }) + rest
    this.#pending = this.#pending.slice(rawCut)
    this.#released = base + cut
    this.#context = buffer.slice(Math.max(0, cut - contextChars), cut)
    return out
  }

  /** Up to where the text may go out: nothing of a match that is not whole yet, or may still grow. */
  #cut(buffer: string, from: number, findings: TextFindings, unsettled: Unsettled): number {
    const last = Math.max(from, buffer.length - this.#hold.chars)
    let cut = last
    if (this.#hold.run) {
      let start = buffer.length
      const least = Math.max(from, buffer.length - runCharsMax)
      while (start > least && isRun(buffer.charCodeAt(start - 1))) start--
      cut = Math.min(cut, start)
    }
    cut = Math.max(from, unsettled(findings, cut))
    if (buffer.length - cut > heldCharsMax) cut = last
    return isLowSurrogate(buffer.charCodeAt(cut)) && cut > from ? cut - 1 : cut
  }

  #redacted(
    written: string,
    spans: readonly RedactedSpan[],
    read: { readonly offsets: readonly number[] | undefined; readonly cut: number },
  ): string {
    this.deliveredChars += read.cut
    let out = ''
    let at = 0
    let taken = 0
    for (const { start, end, replacement } of spans) {
      const first = Math.max(0, start - this.#released)
      const behind = Math.min(read.cut, end - this.#released)
      if (behind <= first) continue
      const rawStart = read.offsets?.[first] ?? first
      const rawEnd = read.offsets?.[behind] ?? behind
      if (rawEnd <= at) continue
      // Of two that overlap the first one's replacement stands for both.
      if (rawStart >= at)
        out += written.slice(at, rawStart) + (this.#nested ? escapeJson(replacement) : replacement)
      at = rawEnd
      this.changed = true
      this.deliveredChars -= behind - Math.max(first, taken)
      taken = behind
    }
    return out + written.slice(at)
  }
}
