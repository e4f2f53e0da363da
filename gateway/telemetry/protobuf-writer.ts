/** Shorter texts are copied character by character: that is quicker than leaving JavaScript. */
const shortLengthMax = 24

/** Bytes of a number as a varint; numbers are whole, not negative, and safe. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++
  return length
}

/** Bytes of a text in UTF-8. */
export function textLength(text: string): number {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 127) return Buffer.byteLength(text)
  }
  return text.length
}

/** Writes protobuf elements one after the other into a buffer that grows (protobuf.dev/programming-guides/encoding). */
export class ProtobufWriter {
  #buffer: Buffer
  #at = 0

  constructor(firstBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(firstBytes)
  }

  get length(): number {
    return this.#at
  }

  /** What was written. The writer begins anew with a buffer of its own. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#at)
    this.#buffer = Buffer.allocUnsafeSlow(this.#buffer.length)
    this.#at = 0
    return bytes
  }

  /** Call before writing that many bytes. */
  ensure(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }

  byte(value: number): void {
    this.#buffer[this.#at++] = value
  }

  varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#buffer[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  bytes(value: Uint8Array): void {
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  /** `bytes` is the text's length in UTF-8. */
  text(value: string, bytes: number): void {
    if (bytes !== value.length) {
      this.#at += this.#buffer.write(value, this.#at, 'utf8')
    } else if (bytes > shortLengthMax) {
      this.#at += this.#buffer.write(value, this.#at, 'latin1')
    } else {
      for (let index = 0; index < bytes; index++) this.#buffer[this.#at++] = value.charCodeAt(index)
    }
  }

  hex(value: string): void {
    this.#at += this.#buffer.write(value, this.#at, 'hex')
  }

  double(value: number): void {
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  fixed32(value: number): void {
    this.#at = this.#buffer.writeUInt32LE(value, this.#at)
  }

  fixed64(low: number, high: number): void {
    this.fixed32(low)
    this.fixed32(high)
  }

  /** Leaves room for the length of a message that begins here; `end` fills it in. */
  begin(): number {
    this.#at += 2
    return this.#at
  }

  /** The message that began there is whole. Few are so short or long that the room for their length does not fit. */
  end(start: number): void {
    const length = this.#at - start
    const lengthBytes = varintLength(length)
    if (lengthBytes !== 2) {
      this.ensure(lengthBytes)
      this.#buffer.copyWithin(start - 2 + lengthBytes, start, this.#at)
    }
    this.#at = start - 2
    this.varint(length)
    this.#at += length
  }
}
