import type { AttributeValue } from '@opentelemetry/api'
import { type ProtobufWriter, textLength, varintLength } from './protobuf-writer.ts'

/** Names of attributes that are kept encoded; callers' metadata is declared, so there are few. */
const namesMax = 4096

/** Field number and wire type in one byte. */
export const numberTag = (field: number): number => field << 3
export const fixed64Tag = (field: number): number => (field << 3) | 1
export const bytesTag = (field: number): number => (field << 3) | 2
export const fixed32Tag = (field: number): number => (field << 3) | 5

type Element = string | number | boolean

const int64Length = (value: number): number => (value < 0 ? 10 : varintLength(value))
/** A field of one byte of tag, its length and its content. */
export const fieldLength = (content: number): number => 1 + varintLength(content) + content

function elementLength(value: Element): number {
  if (typeof value === 'string') return fieldLength(textLength(value))
  if (typeof value === 'boolean') return 2
  return Number.isSafeInteger(value) ? 1 + int64Length(value) : 9
}

function arrayLength(values: readonly Element[]): number {
  let length = 0
  for (const value of values) length += fieldLength(elementLength(value))
  return length
}

/** What our spans say: no bytes, no objects, no holes in lists. */
function elementsOf(value: readonly (Element | null | undefined)[]): readonly Element[] {
  return value.map((each) => each ?? '')
}

/** Encodes attributes: opentelemetry/proto/common/v1/common.proto, KeyValue and AnyValue. */
export class AttributeEncoder {
  readonly #out: ProtobufWriter
  readonly #names = new Map<string, Buffer>()

  constructor(out: ProtobufWriter) {
    this.#out = out
  }

  /** Writes one attribute as that field of a message. */
  add(field: number, name: string, value: AttributeValue): void {
    if (typeof value === 'string') this.#addText(field, name, value)
    else this.#addOther(field, name, value)
  }

  /** Nearly all values are texts: their length is counted once. */
  #addText(field: number, name: string, value: string): void {
    const bytes = textLength(value)
    this.#head(field, name, fieldLength(bytes))
    const out = this.#out
    out.byte(bytesTag(1))
    out.varint(bytes)
    out.text(value, bytes)
  }

  #addOther(field: number, name: string, value: Exclude<AttributeValue, string>): void {
    const elements = Array.isArray(value) ? elementsOf(value) : undefined
    const valueBytes =
      elements === undefined ? elementLength(value as Element) : fieldLength(arrayLength(elements))
    this.#head(field, name, valueBytes)
    if (elements === undefined) this.#element(value as Element)
    else this.#array(elements)
  }

  /** Everything of a KeyValue before the content of its AnyValue, which has that many bytes. */
  #head(field: number, name: string, valueBytes: number): void {
    const out = this.#out
    const key = this.#name(name)
    const length = key.length + fieldLength(valueBytes)
    out.ensure(length + 16)
    out.byte(bytesTag(field))
    out.varint(length)
    out.bytes(key)
    out.byte(bytesTag(2))
    out.varint(valueBytes)
  }

  /** `key` of a KeyValue, with tag and length, as it is copied each time. */
  #name(name: string): Buffer {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const text = Buffer.from(name, 'utf8')
    const head = [bytesTag(1), text.length & 127, text.length >> 7]
    if (text.length > 127) head[1] = (text.length & 127) | 128
    const encoded = Buffer.concat([Buffer.from(text.length > 127 ? head : head.slice(0, 2)), text])
    if (this.#names.size < namesMax) this.#names.set(name, encoded)
    return encoded
  }

  #array(elements: readonly Element[]): void {
    const out = this.#out
    out.byte(bytesTag(5))
    out.varint(arrayLength(elements))
    for (const element of elements) {
      out.byte(bytesTag(1))
      out.varint(elementLength(element))
      this.#element(element)
    }
  }

  #element(value: Element): void {
    const out = this.#out
    if (typeof value === 'string') {
      const bytes = textLength(value)
      out.byte(bytesTag(1))
      out.varint(bytes)
      out.text(value, bytes)
    } else if (typeof value === 'boolean') {
      out.byte(numberTag(2))
      out.byte(value ? 1 : 0)
    } else if (Number.isSafeInteger(value)) {
      out.byte(numberTag(3))
      if (value >= 0) out.varint(value)
      else negativeVarint(out, value)
    } else {
      out.byte(fixed64Tag(4))
      out.double(value)
    }
  }
}

/** Two's complement of 64 bits: ten bytes. */
function negativeVarint(out: ProtobufWriter, value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    out.byte(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  out.byte(Number(rest))
}
