import { Refusal } from '@signalbox/sdk/contract'
import { parseBody } from '../upstream/read-whole.ts'
import type { SseFrame } from '../wire/sse.ts'
import type { ProviderError } from './carrier.ts'

/** A first event is not parsed beyond this: it repeats the instructions of the call. */
const parsedMax = 16_384

/** An error event; `upstream_invalid` is a decoder's own word for an event that it could not read. */
export function refusalOf({ code }: ProviderError): Refusal {
  const ours = code === 'upstream_invalid' ? 'upstream_invalid' : 'upstream_error'
  return new Refusal(ours, { detail: `${code} in the stream` })
}

/** Whether an answer can begin with this frame. One that makes no sense is better found before the caller has it. */
export function isReadable({ data }: SseFrame): boolean {
  if (!data.startsWith('{') || data.length > parsedMax) return true
  return parseBody(Buffer.from(data)) !== undefined
}
