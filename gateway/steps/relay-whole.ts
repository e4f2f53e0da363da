import type { Call } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { Meter } from '../meter.ts'
import type { Provider, UpstreamRequest } from '../provider.ts'
import type { Screen } from '../screen.ts'
import type { Exchange } from '../upstream/exchange.ts'
import {
  type AttemptFailure,
  failureOfAnswer,
  failureOfExchange,
  invalidAnswer,
  isErrorBody,
} from '../upstream/judge-failure.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'

export interface WholeRelayInput {
  readonly exchange: Exchange
  readonly request: UpstreamRequest
  readonly provider: Provider
  readonly credential: string | undefined
  readonly call: Call
  readonly dialect: Dialect
  readonly screen: Screen
  /** Stands for the answer's id where its provider gives none. */
  readonly recordId: string
  readonly nowMs: number
}
/** A plain answer, ready to be sent. */
export interface WholeAnswer {
  readonly body: Buffer
  readonly meter: Meter
  /** Answer paths that could not be carried. */
  readonly dropped: readonly string[]
  /** A guardrail took something out of it. */
  readonly changed?: boolean
}

/**
 * The chain of a plain answer: upstream bytes → one frame → decode → meter → screen → encode. Where the formats agree
 * the body stays as it came and only its usage is read.
 */
export async function relayWhole(input: WholeRelayInput): Promise<WholeAnswer | AttemptFailure> {
  const { exchange, provider, credential } = input
  const headFailure = await exchange.head
  if (headFailure !== undefined) return failureOfExchange(headFailure)
  exchange.flow()
  const body = await readWhole(exchange)
  if (!Buffer.isBuffer(body)) return failureOfExchange(body)
  const { status, headers } = exchange
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    return invalidAnswer(`the answer is encoded as ${encoding}, which nobody asked for`)
  }
  const json = parseBody(body)
  const isAnyBytes = input.call.native?.answer === 'bytes'
  if (status < 200 || status >= 300 || isErrorBody(json)) {
    const failure = failureOfAnswer({ status, headers, body }, json, provider, credential, input.nowMs)
    return isAnyBytes ? withAnswer(failure, { status, headers, body }, credential) : failure
  }
  if (isAnyBytes && Array.isArray(json)) return { body, meter: new Meter(), dropped: [] }
  if (typeof json !== 'object' || json === null) return invalidAnswer('the answer is no JSON object')
  try {
    return encodeAnswer(input, body, json)
  } catch (cause) {
    return invalidAnswer('the answer cannot be read', cause)
  }
}

/** An upstream's own error in whatever form, unless it repeats our credential. */
function withAnswer(
  failure: AttemptFailure,
  answer: NonNullable<AttemptFailure['answer']>,
  credential: string | undefined,
): AttemptFailure {
  const repeatsSecret = credential !== undefined && credential !== '' && answer.body.includes(credential)
  if (answer.status < 400 || repeatsSecret) return failure
  return { ...failure, answer }
}

function encodeAnswer(input: WholeRelayInput, body: Buffer, json: unknown): WholeAnswer {
  const { provider, dialect, call, request } = input
  const meter = new Meter()
  if (request.identity) {
    meter.report(provider.readUsage(json))
    meter.readFinish(json)
    meter.storedIds = provider.readStoredIds?.(json) ?? []
    // Without a report the characters of the body stand for those of the answer.
    meter.chars = meter.usage === undefined ? body.length : 0
    meter.bytes = body.length
    return { body, meter, dropped: [] }
  }
  if (provider.mapAnswer !== undefined) {
    meter.report(provider.readUsage(json))
    return { body: Buffer.from(JSON.stringify(provider.mapAnswer(json, call))), meter, dropped: [] }
  }
  const decoded = provider.decodeReply(json, body)
  const reply = { ...decoded, id: decoded.id || input.recordId, model: decoded.model || call.model }
  meter.report(reply.usage)
  meter.finish = reply.nativeFinish
  meter.bytes = body.length
  for (const block of reply.blocks) {
    if (block.type === 'search') continue
    meter.chars += block.type === 'toolCall' ? block.arguments.length : block.text.length
  }
  const encoded = dialect.encodeReply(input.screen.reply(reply), call, input.nowMs)
  return { body: Buffer.from(JSON.stringify(encoded.body)), meter, dropped: encoded.dropped }
}
