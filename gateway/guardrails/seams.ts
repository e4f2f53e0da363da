import type { Match } from '@signalbox/policies'

/** Places in a joined text: where a piece ends and the next one goes on that is of the same part. */
export interface Seam {
  /** Where the piece before it begins. */
  readonly from: number
  readonly end: number
  readonly start: number
  /** Where the piece behind it ends. */
  readonly to: number
}
type ScanText = (text: string) => readonly Match<string>[]

/** Pieces of a text, read as one. */
interface Stretch {
  readonly text: string
  /** Where its pieces stand in the joined text. */
  readonly parts: readonly { readonly start: number; readonly end: number }[]
}

/** Characters on each side of a seam, and more where a key, a token or a URL goes on. */
const seamChars = 256
/** A run of characters without a space or a quote is followed up to here. */
export const runCharsMax = 16_384
/** A match that begins so near behind a seam may be one for what stands before it. */
const wordsChars = 32
/** With more seams than these the texts are read as one from their first to their last. */
const seamsMax = 256

/** Whether a unit can be within a key, a token or a URL: visible ASCII but quotes and angle brackets. */
export function isRun(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x3c && code !== 0x3e && code !== 0x60
}

function backFrom(text: string, { from, end }: Seam, room: number): number {
  let start = Math.max(from, end - room)
  while (start > from && end - start < runCharsMax && isRun(text.charCodeAt(start - 1))) start--
  return start
}

function onFrom(text: string, { start, to }: Seam, room: number): number {
  let end = Math.min(to, start + room)
  while (end < to && end - start < runCharsMax && isRun(text.charCodeAt(end))) end++
  return end
}

/** What stands around a seam, through pieces that are shorter than what is looked at. */
function stretchAround(text: string, seams: readonly Seam[], index: number, room: number): Stretch {
  const parts: { start: number; end: number }[] = []
  let left = room
  for (let at = index; left > 0; at--) {
    const seam = seams[at]
    if (seam === undefined || (at < index && seam.start !== seams[at + 1]?.from)) break
    const start = backFrom(text, seam, left)
    parts.unshift({ start, end: seam.end })
    if (start > seam.from) break
    left -= seam.end - start
  }
  left = room
  for (let at = index; left > 0; at++) {
    const seam = seams[at]
    if (seam === undefined || (at > index && seam.from !== seams[at - 1]?.start)) break
    const end = onFrom(text, seam, left)
    parts.push({ start: seam.start, end })
    if (end < seam.to) break
    left -= end - seam.start
  }
  return { text: parts.map(({ start, end }) => text.slice(start, end)).join(''), parts }
}

function placed({ parts }: Stretch, offset: number): { readonly part: number; readonly at: number } {
  let left = offset
  for (const [part, { start, end }] of parts.entries()) {
    if (left < end - start) return { part, at: start + left }
    left -= end - start
  }
  return { part: parts.length, at: parts.at(-1)?.end ?? 0 }
}

/** Where its pieces but for the first begin in a stretch. */
function bordersOf({ parts }: Stretch): number[] {
  let at = 0
  return parts.slice(0, -1).map(({ start, end }) => {
    at += end - start
    return at
  })
}

interface Rows {
  readonly text: string
  readonly seams: readonly Seam[]
  readonly scan: ScanText
  /** Characters on each side of a seam. */
  readonly room: number
}

/** What is found about a seam, with more of the texts where a match reaches to an end of what was looked at. */
function scanAbout({ text, seams, room: first, scan }: Rows, index: number): Match<string>[] {
  for (let room = first; ; room *= 8) {
    const stretch = stretchAround(text, seams, index, room)
    const { length } = stretch.text
    const all = scan(stretch.text).filter((each) => each.end > each.start)
    const borders = bordersOf(stretch)
    const about = all.filter((each) =>
      borders.some((border) => each.end > border && each.start < border + wordsChars),
    )
    const isCut = about.some((each) => each.start === 0 || each.end === length)
    if (isCut && room < length) continue
    return about.map(({ kind, ...each }) => {
      const [first, last] = [placed(stretch, each.start), placed(stretch, each.end - 1)]
      return { kind, start: first.at, end: last.at + 1 }
    })
  }
}

/**
 * Matches that begin in one text and end in another, or that words at the end of one make of the start of the next: who
 * reads the texts reads them as one, and each by itself hides them. Offsets are of the joined text, what stands between
 * the texts included. What is found in a text by itself may be among them. `isWhole`: the texts are short, and all of
 * them is looked at.
 */
export function matchesAcross(
  text: string,
  {
    seams,
    isWhole,
    scan,
  }: { readonly seams: readonly Seam[]; readonly isWhole: boolean; readonly scan: ScanText },
): Match<string>[] {
  const found = new Map<string, Match<string>>()
  const isRow = isWhole || seams.length > seamsMax
  const rows = { text, seams, scan, room: isRow ? Number.POSITIVE_INFINITY : seamChars }
  for (const index of seams.keys()) {
    // All texts of a row are looked at with the first.
    if (isRow && seams[index - 1]?.start === seams[index]?.from) continue
    for (const each of scanAbout(rows, index)) found.set(`${each.kind} ${each.start} ${each.end}`, each)
  }
  return [...found.values()]
}
