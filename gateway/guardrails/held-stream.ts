import type { Delta } from '../call.ts'
import { Meter } from '../meter.ts'
import type { StreamDecoder } from '../provider.ts'
import { createCarrier } from '../relay/create-carrier.ts'
import type { OpenAttempt } from '../steps/attempt.ts'
import type { StreamRelayInput } from '../steps/relay-stream.ts'
import {
  type AttemptFailure,
  failureOfAnswer,
  failureOfExchange,
  invalidAnswer,
} from '../upstream/judge-failure.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import type { Way } from '../way.ts'
import { type SseFrame, SseSplitter } from '../wire/sse.ts'
import { searchOf, sourcesOf } from './held-sources.ts'
import { StreamText } from './stream-text.ts'
import type { Stop } from './verdict-log.ts'

/** What came of a stream that was held to its end. */
export type HeldEnd =
  | { readonly failure: AttemptFailure }
  | { readonly stop: Stop; readonly retry: boolean }
  | 'sent'

/** All events of a stream; undefined where it ended before its answer did. */
function readAll(body: Buffer, decoder: StreamDecoder): readonly Delta[] | undefined {
  const splitter = new SseSplitter()
  const frames: SseFrame[] = [...splitter.push(body)]
  const tail = splitter.end()
  if (tail !== undefined) frames.push(tail)
  const deltas = frames.flatMap((frame) => (frame.data === '' ? [] : decoder.push(frame)))
  const { complete, deltas: last } = decoder.finish()
  return complete ? [...deltas, ...last] : undefined
}

/** Texts of a body's blocks, in their order. */
function blockTextsOf(body: Buffer): string[] {
  const { content } = Object(JSON.parse(body.toString('utf8')))
  return (Array.isArray(content) ? content : []).map((block: unknown) => {
    const { text, arguments: args } = Object(block)
    return String(text ?? args ?? '')
  })
}

/** The same events with other texts: each block's comes in one piece, before what proves it. */
function withTexts(deltas: readonly Delta[], texts: readonly string[], before: readonly string[]): Delta[] {
  let block = -1
  let isSaid = false
  return deltas.flatMap((delta): Delta[] => {
    if (delta.type === 'blockStart') {
      block++
      isSaid = false
      return [delta]
    }
    if (delta.type === 'citation') {
      return sourcesOf([delta], { changed: texts[block] !== before[block], seen: false })
    }
    if (delta.type !== 'blockDelta') return [delta]
    const { text, signature, encrypted, ...rest } = delta
    const out: Delta[] = []
    const whole = texts[block] ?? ''
    if (text !== undefined && !isSaid) {
      isSaid = true
      out.push({ ...rest, text: whole })
    }
    const proof = {
      ...(signature !== undefined && { signature }),
      ...(encrypted !== undefined && { encrypted }),
    }
    if (Object.keys(proof).length === 0) return out
    if (whole === before[block]) out.push({ ...rest, ...proof })
    else out.push({ type: 'lost', path: 'response.reasoning.signature' })
    return out
  })
}

function replay(deltas: readonly Delta[]): StreamDecoder {
  let left: readonly Delta[] = deltas
  return {
    push: () => [],
    finish() {
      const all = [...left]
      left = []
      return { complete: true, deltas: all }
    },
  }
}

/** Guards have looked at the text, and not at the words of its sources, nor at what was searched for. */
function withoutUnseen(delta: Delta): Delta[] {
  if (delta.type === 'search') return searchOf(delta)
  return delta.type === 'citation' ? sourcesOf([delta], { changed: false, seen: true }) : [delta]
}

const isError = (delta: Delta): delta is Extract<Delta, { type: 'error' }> => delta.type === 'error'

async function readStream(input: StreamRelayInput, meter: Meter): Promise<readonly Delta[] | AttemptFailure> {
  const { exchange, provider, credential, nowMs } = input
  const headFailure = await exchange.head
  if (headFailure !== undefined) return failureOfExchange(headFailure)
  exchange.flow()
  const body = await readWhole(exchange)
  if (!Buffer.isBuffer(body)) return failureOfExchange(body)
  const { status, headers } = exchange
  if (status < 200 || status >= 300 || headers['content-type']?.includes('json') === true) {
    const json = parseBody(body)
    return failureOfAnswer({ status, headers, body }, json, provider, credential, nowMs)
  }
  try {
    const deltas = readAll(body, provider.createDecoder())
    if (deltas === undefined)
      return failureOfExchange({ kind: 'reset', detail: 'the stream ended before its answer did' })
    meter.observe(deltas)
    const error = deltas.find(isError)
    return error === undefined ? deltas : invalidAnswer(`${error.code} in the stream`)
  } catch (cause) {
    return invalidAnswer('an event that cannot be read', cause)
  }
}

/**
 * Relays a stream that guards have to see to its end: nothing goes out before, so another target can still be tried.
 */
export async function relayHeld(
  input: StreamRelayInput,
  { open, way, meter }: { readonly open: OpenAttempt; readonly way: Way; readonly meter: Meter },
): Promise<HeldEnd> {
  const deltas = await readStream(input, meter)
  if ('refusal' in deltas) return { failure: deltas }
  const seen = new StreamText()
  seen.add(deltas)
  const { body } = seen
  const { guards } = way.allowed
  if (body === undefined || guards === undefined)
    return { failure: invalidAnswer('the answer is too long to be checked') }
  const about = { target: open.target.name, attempt: open.trail.index, tools: seen.tools }
  const screened = await guards.screenStream(body, about)
  if (screened.stop !== undefined) return { stop: screened.stop, retry: screened.retry }
  const before = blockTextsOf(body)
  const texts = screened.changed ? blockTextsOf(screened.body) : before
  const edited = screened.changed ? withTexts(deltas, texts, before) : deltas
  send(edited.flatMap(withoutUnseen), input, meter)
  return 'sent'
}

function send(deltas: readonly Delta[], input: StreamRelayInput, meter: Meter): void {
  const { writer, begin, settle, request, provider } = input
  begin(meter)
  // What was metered already is not metered twice.
  const again = new Meter()
  const carrier = createCarrier(
    {
      ...input,
      request: { ...request, identity: false },
      provider: { ...provider, createDecoder: () => replay(deltas) },
    },
    again,
  )
  writer.write(carrier.finish().rest + carrier.end())
  writer.write(settle({ meter, refusal: undefined, outcome: 'ok', lost: carrier.lost }))
  writer.end()
}
