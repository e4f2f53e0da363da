import { Refusal } from '@signalbox/sdk/contract'

/** A part of a form, and where its value stands in the bytes. Format: RFC 7578. */
export interface FormPart {
  readonly name: string
  /** Absent for a plain field. */
  readonly filename?: string
  readonly start: number
  readonly end: number
}

const partsMax = 256
const headBytesMax = 8192
const valueBytesMax = 65_536
const lineBreak = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

function invalid(message: string): Refusal {
  return new Refusal('invalid_request', { message })
}

/** Whether a content type is that of a form with files. */
export function isMultipart(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*multipart\/form-data\b/i.test(contentType)
}

function boundaryOf(contentType: string): Buffer {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;,]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw invalid('The form has no boundary in its content type.')
  return Buffer.from(`--${boundary}`)
}

function parameter(head: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}="([^"\\r\\n]*)"`, 'i').exec(head)?.[1]
}

/**
 * The parts of a form, without copying any.
 * @throws Refusal `invalid_request` where the bytes are no form.
 */
export function scanForm(bytes: Buffer, contentType: string): FormPart[] {
  const boundary = boundaryOf(contentType)
  const parts: FormPart[] = []
  let at = bytes.indexOf(boundary)
  while (at !== -1 && parts.length <= partsMax) {
    const from = at + boundary.length
    if (bytes.toString('latin1', from, from + 2) === '--') return parts
    const bodyStart = bytes.indexOf(headEnd, from)
    const next = bytes.indexOf(Buffer.concat([lineBreak, boundary]), from)
    if (bodyStart === -1 || next < bodyStart || bodyStart - from > headBytesMax) break
    const head = bytes.toString('utf8', from, bodyStart)
    const name = parameter(head, 'name')
    const filename = parameter(head, 'filename')
    if (name === undefined) throw invalid('A part of the form has no name.')
    const start = bodyStart + headEnd.length
    parts.push({ name, start, end: Math.max(start, next), ...(filename !== undefined && { filename }) })
    at = next + lineBreak.length
  }
  throw invalid('The body is not a whole form.')
}

/** The text of a plain field; of several the last, as upstreams read them. */
export function fieldOf(bytes: Buffer, parts: readonly FormPart[], name: string): string | undefined {
  const part = parts.findLast((each) => each.name === name && each.filename === undefined)
  if (part === undefined || part.end - part.start > valueBytesMax) return undefined
  return bytes.toString('utf8', part.start, part.end)
}

/** The form with another value in every field of a name; all other bytes stay. */
export function replaceField(bytes: Buffer, parts: readonly FormPart[], name: string, value: string): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  for (const part of parts) {
    if (part.name !== name || part.filename !== undefined) continue
    pieces.push(bytes.subarray(at, part.start), Buffer.from(value))
    at = part.end
  }
  return at === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(at)])
}
