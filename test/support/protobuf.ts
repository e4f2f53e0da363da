/** Fields of a message by number: numbers as they stand, everything else as bytes. */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>

function readVarint(bytes: Buffer, start: number): { value: bigint; next: number } {
  let value = 0n
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    const byte = bytes[at]
    if (byte === undefined) throw new Error('a message ends in a number')
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return { value, next: at + 1 }
  }
}

/** Reads one level of a protobuf message (encoding: protobuf.dev/programming-guides/encoding). */
export function readMessage(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>()
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    const number = Number(tag.value >> 3n)
    const type = Number(tag.value & 7n)
    let value: bigint | Buffer
    if (type === 0) ({ value, next: at } = readVarint(bytes, tag.next))
    else {
      const length =
        type === 2 ? readVarint(bytes, tag.next) : { value: type === 1 ? 8n : 4n, next: tag.next }
      at = length.next + Number(length.value)
      if (at > bytes.length || ![1, 2, 5].includes(type)) throw new Error('not a protobuf message')
      value = bytes.subarray(length.next, at)
    }
    fields.set(number, [...(fields.get(number) ?? []), value])
  }
  return fields
}

export const messagesIn = (fields: Fields, number: number): Fields[] =>
  (fields.get(number) ?? []).map((value) => readMessage(value as Buffer))
export const bytesIn = (fields: Fields, number: number): Buffer =>
  (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0)
export const textIn = (fields: Fields, number: number): string => bytesIn(fields, number).toString('utf8')
export const hexIn = (fields: Fields, number: number): string => bytesIn(fields, number).toString('hex')
export const numberIn = (fields: Fields, number: number): number => {
  const value = fields.get(number)?.[0] ?? 0n
  if (typeof value === 'bigint') return Number(BigInt.asIntN(64, value))
  return value.length === 8 ? Number(value.readBigUInt64LE()) : value.readUInt32LE()
}
