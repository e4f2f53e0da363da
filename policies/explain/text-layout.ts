export type Tone = 'plain' | 'strong' | 'dim' | 'good' | 'bad' | 'warn'
export interface Segment {
  readonly text: string
  readonly tone?: Tone
}
/** How a piece of text is given its tone; texts without colours come back as they are. */
export type Paint = (tone: Tone, text: string) => string

/** A line: what stands at its start, and what flows under itself where it is too long. */
export interface TextLine {
  readonly head: readonly Segment[]
  readonly body: readonly Segment[]
}

const widthOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { text }) => sum + text.length, 0)

/**
 * Sets a line at a width: the body is broken between words and goes on under its own start. A word that is longer than
 * the line stays whole, since it is a name that somebody wants to copy.
 */
export function setLine({ head, body }: TextLine, width: number, paint: Paint): string[] {
  const indent = Math.min(widthOf(head), Math.floor(width / 2))
  const words = body.flatMap(({ text, tone = 'plain' }) =>
    text
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => ({ word, tone })),
  )
  const lines: string[] = []
  let line = head.map(({ text, tone = 'plain' }) => paint(tone, text)).join('')
  let used = widthOf(head)
  let isFirst = true
  for (const { word, tone } of words) {
    const needed = word.length + (isFirst ? 0 : 1)
    if (!isFirst && used + needed > width) {
      lines.push(line)
      line = ' '.repeat(indent)
      used = indent
      isFirst = true
    }
    line += (isFirst ? '' : ' ') + paint(tone, word)
    used += word.length + (isFirst ? 0 : 1)
    isFirst = false
  }
  return [...lines, line].map((each) => each.trimEnd())
}
