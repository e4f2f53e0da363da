import { type DetectorKind, detectorKinds } from '@signalbox/sdk/contract'
import { continuation, lineForms, namedBlocks, plainBlocks, wholeLines } from './code/program-lines.ts'
import { type Detector, findingsMax, type Match } from './detector.ts'

type Kind = DetectorKind<'code'>

const whole = 1_000_000
/** Of a longer line its start tells what it is. */
const lineMax = 200
/** Lines of a program that stand together in prose before they count, and what a YAML or JSON text needs. */
const linesMin = 2
const dataLinesMin = 3
const fence = /^\s{0,3}(?:```|~~~)\s*([\w+#-]*)/
const data: ReadonlySet<Kind> = new Set<Kind>(['json', 'yaml', 'xml', 'css', 'html', 'sql', 'ruby'])
/** Whether a line can be one of a program at all. */
const hasSign =
  /[(){}[\];=<>:#$@*]|^\s*(?:import|from|package|use|end|fi|done|else|try|select|group|order|sudo|git|npm|cd|puts|require|return|def|let|const)\b/i

/** A line further in goes on with what stands before it. */
const indented = /^(?: {2,}|\t)\S/

/** Lines of a program that stand together. */
class Region {
  start = 0
  end = 0
  lines = 0
  readonly #votes = new Map<Kind, number>()
  /** What one of its lines is by itself. */
  whole: Kind | undefined
  /** Said by the fence around it. */
  named: Kind | undefined

  get strength(): number {
    return Math.max(0, ...this.#votes.values())
  }

  vote(line: string): boolean {
    let isProgram = false
    for (const { kinds, form } of lineForms) {
      if (!form.test(line)) continue
      isProgram = true
      for (const kind of kinds) this.#votes.set(kind, (this.#votes.get(kind) ?? 0) + 1 / kinds.length)
    }
    return isProgram
  }

  get kind(): Kind {
    if (this.named !== undefined) return this.named
    const [first] = [...this.#votes].sort((a, b) => b[1] - a[1])
    return first?.[0] ?? 'other'
  }

  get counts(): boolean {
    return this.lines >= (data.has(this.kind) ? dataLinesMin : linesMin) && this.strength >= 1
  }
}

/** Goes through a text line by line. */
class CodeScan {
  readonly found: Match<Kind>[] = []
  #region: Region | undefined
  /** Of a fenced block: its sign is open, and whether it holds a program. */
  #fenced: 'code' | 'plain' | undefined

  take(line: string, start: number, end: number): void {
    const opening = fence.exec(line)
    if (opening !== null) this.#fence(opening[1]?.toLowerCase() ?? '', end)
    else if (this.#fenced === 'code') this.#inBlock(line, start, end)
    else if (this.#fenced === undefined) this.#inProse(line, start, end)
  }

  #fence(name: string, end: number): void {
    const closes = this.#fenced !== undefined
    this.close()
    this.#fenced = closes ? undefined : plainBlocks.has(name) ? 'plain' : 'code'
    if (this.#fenced !== 'code') return
    this.#region = new Region()
    this.#region.named = namedBlocks.get(name)
    this.#region.start = end
    this.#region.end = end
  }

  #inBlock(line: string, start: number, end: number): void {
    const region = this.#region
    if (region === undefined) return
    if (region.lines === 0) region.start = start
    region.lines++
    region.end = end
    if (region.named === undefined) region.vote(line)
  }

  #inProse(line: string, start: number, end: number): void {
    const isBlank = line.trim() === ''
    if (isBlank && this.#region !== undefined) return
    const whole = wholeLines.find(({ form }) => form.test(line))?.kinds[0]
    const canBe = hasSign.test(line)
    const region = this.#region ?? new Region()
    const isProgram = (canBe && region.vote(line)) || whole !== undefined
    region.whole ??= whole
    if (!isProgram && (this.#region === undefined || !(continuation.test(line) || indented.test(line)))) {
      this.close()
      return
    }
    if (this.#region === undefined) region.start = start
    this.#region = region
    region.lines++
    region.end = end
  }

  close(): void {
    const region = this.#region
    this.#region = undefined
    if (region?.lines !== 0 && region?.whole !== undefined && !region.counts && this.#fenced !== 'code') {
      if (this.found.length < findingsMax)
        this.found.push({ kind: region.whole, start: region.start, end: region.end })
      return
    }
    if (region === undefined || region.lines === 0 || this.found.length >= findingsMax) return
    // A block of one empty line.
    if (region.end === region.start) return
    if (this.#fenced === 'code' || region.counts) {
      this.found.push({ kind: region.kind, start: region.start, end: region.end })
    }
  }
}

/** Program text in a text: where, in which language, and which share of it. */
export const code: Detector<'code'> = {
  id: 'code',
  kinds: detectorKinds.code,
  lookBehind: Object.fromEntries(detectorKinds.code.map((kind) => [kind, 0])) as Record<Kind, number>,
  scan(text) {
    const scan = new CodeScan()
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf('\n', start)
      const end = found === -1 ? text.length : found
      scan.take(text.slice(start, Math.min(end, start + lineMax)), start, end)
      start = end + 1
    }
    scan.close()
    const chars = scan.found.reduce((sum, { start, end }) => sum + end - start, 0)
    return {
      findings: scan.found,
      scorePpm: text.length === 0 ? 0 : Math.round((whole * chars) / text.length),
    }
  },
}
