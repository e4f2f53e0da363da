import type { Call, Reply, WireFormat } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import type { Provider } from '../provider.ts'
import { ReplyAssembly } from '../relay/assemble-reply.ts'
import { deltasOf } from '../relay/reply-deltas.ts'
import { SseSplitter } from '../wire/sse.ts'
import type { CachedAnswer } from './cached-answer.ts'

/** A reader of the format that a caller speaks; undefined where there is none, and answers keep their form. */
export function readerOf(
  { native, format, asArray }: Call,
  providers: ReadonlyMap<string, Provider>,
): Provider | undefined {
  if (native !== undefined || asArray === true) return undefined
  return [...providers.values()].flatMap((each) => providerOf(each, format) ?? [])[0]
}

function providerOf(provider: Provider, format: WireFormat): Provider | undefined {
  return provider.format === format ? provider : provider.otherFormats?.[format]
}

function readEvents(body: Buffer, reader: Provider): Reply {
  const assembly = new ReplyAssembly()
  const decoder = reader.createDecoder()
  const splitter = new SseSplitter()
  const frames = splitter.push(body)
  for (const { event, data } of frames)
    for (const delta of decoder.push({ event, data })) assembly.push(delta)
  for (const delta of decoder.finish().deltas) assembly.push(delta)
  return assembly.reply(false)
}

/** An answer in the form that a call wants. */
export interface ConvertedAnswer {
  readonly body: Buffer
  readonly contentType: string
  /** Paths that could not be carried into the other form. */
  readonly dropped: readonly string[]
}

/**
 * The same answer, plain for one that was streamed and the other way round, through the canonical form.
 * @throws where it cannot be read.
 */
export function convertAnswer(
  answer: CachedAnswer,
  wanted: {
    readonly call: Call
    readonly dialect: Dialect
    readonly reader: Provider
    readonly nowMs: number
  },
): ConvertedAnswer {
  const { call, dialect, reader, nowMs } = wanted
  const decoded =
    answer.form === 'events'
      ? readEvents(answer.body, reader)
      : reader.decodeReply(JSON.parse(answer.body.toString('utf8')), answer.body)
  const reply = { ...decoded, usage: { ...answer.usage, ...decoded.usage } }
  if (!call.stream) {
    const { body, dropped } = dialect.encodeReply(reply, call, nowMs)
    const bytes = Buffer.from(JSON.stringify(body))
    return { body: bytes, contentType: 'application/json', dropped: [...reply.lost, ...dropped] }
  }
  const encoder = dialect.createEncoder(call, nowMs)
  let text = ''
  for (const delta of deltasOf(reply)) text += encoder.push(delta)
  text += encoder.end()
  return { body: Buffer.from(text), contentType: 'text/event-stream; charset=utf-8', dropped: reply.lost }
}
