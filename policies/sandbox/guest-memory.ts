/** The memory of an instance as bytes and text: in Node a `Buffer`, elsewhere `TextMemory`. */
export type GuestMemory = Uint8Array & {
  /** Writes UTF-8, whole characters only, at most so many bytes; returns how many. Lone surrogates become U+FFFD. */
  write(text: string, address: number, bytesMax: number): number
  toString(encoding: 'utf8', start: number, end: number): string
}

const encoder = new TextEncoder()
// A byte order mark is a character like any other, as it is to a Buffer.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What the sandbox needs of a `Buffer`, made of what every JavaScript runtime has; gives the same bytes and texts. */
export class TextMemory extends Uint8Array {
  write(text: string, address: number, bytesMax: number): number {
    return encoder.encodeInto(text, this.subarray(address, address + bytesMax)).written
  }

  override toString(_encoding = 'utf8', start = 0, end = this.length): string {
    return decoder.decode(this.subarray(start, end))
  }
}
