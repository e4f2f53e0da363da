import { once } from 'node:events'
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const widthDefault = 80
/** Where it goes. */
interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/**
 * The only way that the CLI speaks. Results go to stdout, everything else to stderr; with `--json` stdout holds
 * exactly one document, or one per line for verbs that follow.
 */
export class Output {
  readonly #colour: boolean
  readonly #streams: Streams
  json = false
  #hasResult = false

  constructor(colour: boolean, streams: Streams = process) {
    this.#colour = colour
    this.#streams = streams
  }

  /** Whether stdout holds a document or bytes of a result already. */
  get hasResult(): boolean {
    return this.#hasResult
  }

  get colour(): boolean {
    return this.#colour
  }

  /** Characters that fit into a line of the terminal; 80 where the output goes elsewhere. */
  get width(): number {
    return this.#streams.stdout.columns ?? widthDefault
  }

  style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text
  }

  /** A line of the result, for people; left out with `--json`. */
  line(text = ''): void {
    if (!this.json) this.#streams.stdout.write(`${text}\n`)
  }

  /** A text that is a result by itself, as a help page. */
  text(text: string): void {
    this.#streams.stdout.write(text)
  }

  /** The document of `--json`. */
  document(value: unknown): void {
    if (!this.json) return
    this.#hasResult = true
    this.#streams.stdout.write(`${JSON.stringify(value)}\n`)
  }

  /** Bytes of a result that is a stream by itself; resolves when there is room for more. */
  async raw(bytes: Uint8Array): Promise<void> {
    this.#hasResult = true
    if (!this.#streams.stdout.write(bytes)) await once(this.#streams.stdout, 'drain')
  }

  /** Progress and remarks. */
  note(text: string): void {
    this.#streams.stderr.write(`${text}\n`)
  }

  /** How far long work is, on one line that is written over; only where somebody watches. */
  progress(text: string): void {
    if (this.#streams.stderr.isTTY) this.#streams.stderr.write(`\r\u001b[2K${text}`)
  }

  /** Rows under headings, columns as wide as their widest cell. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    if (this.json) return
    const widths = headings.map((heading, column) =>
      Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
    )
    const format = (row: readonly string[]): string =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    this.line(this.style('dim', format(headings)))
    for (const row of rows) this.line(format(row))
  }
}
