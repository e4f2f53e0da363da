import type { RedactedSpan } from '@signalbox/policies'
import type { TextPart } from '@signalbox/sdk/contract'
import { escapeJson, type Unescaped, unescapeJson } from './escapes.ts'
import { readJsonTree } from './json-tree.ts'
import type { Seam } from './seams.ts'
import { type TextPlace, textPlacesOf } from './text-places.ts'

/** Characters of a body that are scanned; what is beyond is not, and no guardrail passes it. */
export const scannedCharsMax = 4_194_304
const separator = '\n\n'

/** Parts whose texts somebody said, one after the other. */
const spoken: ReadonlySet<TextPart> = new Set<TextPart>([
  'system',
  'user',
  'assistant',
  'toolResult',
  'reasoning',
])

interface Piece {
  readonly place: TextPlace
  readonly read: Unescaped
  /** Where it begins in the joined text. */
  readonly start: number
}

/** Texts of a body that some guardrails look at, joined with an empty line between them. */
export interface JoinedText {
  readonly text: string
  /** Characters that the body has of these parts; more than the text where it is too long. */
  readonly chars: number
  /** Of these, how many are in the text. */
  readonly scannedChars: number
  readonly pieces: readonly Piece[]
  /** Where a text ends and the next one goes on that is of the same part: a model reads them as one. */
  readonly seams: readonly Seam[]
}
/** A body whose texts can be looked at and changed where they stand. */
export class ScreenedBody {
  readonly bytes: Buffer
  readonly places: readonly TextPlace[]
  readonly #joined = new Map<string, JoinedText>()

  /** Throws SyntaxError or RangeError where the bytes are no JSON that can be read. */
  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.places = textPlacesOf(bytes, readJsonTree(bytes))
  }

  /** The text of some parts; of all where none is named. */
  joined(parts: readonly TextPart[] | undefined): JoinedText {
    const key = parts === undefined ? '' : [...parts].sort().join()
    let known = this.#joined.get(key)
    if (known === undefined) {
      known = join(this.places.filter(({ part }) => parts?.includes(part) ?? true))
      this.#joined.set(key, known)
    }
    return known
  }

  /** The body with spans of joined texts replaced; each replacement stands once. */
  edited(
    changes: readonly { readonly joined: JoinedText; readonly spans: readonly RedactedSpan[] }[],
  ): Buffer {
    const byPlace = new Map<TextPlace, RedactedSpan[]>()
    for (const { joined, spans } of changes) {
      for (const span of spans) place(span, joined, byPlace)
    }
    return this.rewritten(
      [...byPlace].map(([where, spans]) => ({ place: where, text: replaceSpans(where.text, spans) })),
    )
  }

  /** The body with other texts at some places. */
  rewritten(edits: readonly { readonly place: TextPlace; readonly text: string }[]): Buffer {
    const parts: Buffer[] = []
    let at = 0
    for (const { place: where, text } of [...edits].sort((a, b) => a.place.start - b.place.start)) {
      parts.push(this.bytes.subarray(at, where.start), Buffer.from(JSON.stringify(text)))
      at = where.end
    }
    parts.push(this.bytes.subarray(at))
    return Buffer.concat(parts)
  }
}

function join(places: readonly TextPlace[]): JoinedText {
  const pieces: Piece[] = []
  const texts: string[] = []
  let length = 0
  let chars = 0
  for (const each of places) {
    const read: Unescaped = each.nested
      ? unescapeJson(each.text)
      : { text: each.text, offsets: undefined, consumed: each.text.length }
    chars += read.text.length
    if (length + read.text.length > scannedCharsMax) continue
    pieces.push({ place: each, read, start: length })
    texts.push(read.text)
    length += read.text.length + separator.length
  }
  const scannedChars = pieces.reduce((sum, { read }) => sum + read.text.length, 0)
  const seams = pieces.flatMap((piece, at): Seam[] => {
    const next = pieces[at + 1]
    const isOne = next !== undefined && next.place.part === piece.place.part && spoken.has(piece.place.part)
    if (!isOne || piece.place.nested || next.place.nested) return []
    const [from, start] = [piece.start, next.start]
    return [{ from, end: from + piece.read.text.length, start, to: start + next.read.text.length }]
  })
  return { text: texts.join(separator), chars, scannedChars, pieces, seams }
}

/** Notes what a span of the joined text means for the places that it touches. */
function place(span: RedactedSpan, { pieces }: JoinedText, byPlace: Map<TextPlace, RedactedSpan[]>): void {
  let isFirst = true
  for (const piece of pieces) {
    const { place: where, read } = piece
    const start = Math.max(0, span.start - piece.start)
    const end = Math.min(read.text.length, span.end - piece.start)
    if (end <= start) continue
    const replacement = isFirst ? span.replacement : ''
    isFirst = false
    const spans = byPlace.get(where) ?? []
    spans.push({
      start: read.offsets?.[start] ?? start,
      end: read.offsets?.[end] ?? end,
      replacement: where.nested ? escapeJson(replacement) : replacement,
    })
    byPlace.set(where, spans)
  }
}

/** A text with spans replaced; where two overlap, the first one's replacement stands for both. */
export function replaceSpans(text: string, spans: readonly RedactedSpan[]): string {
  let at = 0
  let out = ''
  for (const { start, end, replacement } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= at) out += text.slice(at, start) + replacement
    at = Math.max(at, end)
  }
  return out + text.slice(at)
}
