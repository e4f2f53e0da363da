import { servedHeaders } from '../answer-headers.ts'
import type { Call, Reply } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import type { Incoming } from '../incoming.ts'
import type { GatewayParts } from '../parts.ts'
import { ArrayFraming } from '../relay/array-framing.ts'
import type { Carrier } from '../relay/carrier.ts'
import type { Trail } from '../trail.ts'
import type { AllowedCall } from '../way.ts'
import type { Stop } from './verdict-log.ts'

/** An answer that says in the caller's dialect, as a model would, that there is none. */
interface DeclinedAnswer {
  readonly contentType: string
  readonly body: string
}
const noUsage = { input: 0, output: 0 } as const

function replyOf({ message, as }: NonNullable<Stop['decline']>, call: Call, id: string): Reply {
  const isText = as === 'text'
  return {
    id,
    model: call.model,
    blocks: [{ type: isText ? 'text' : 'refusal', text: message }],
    finish: isText ? 'stop' : 'contentFilter',
    nativeFinish: 'guardrail',
    usage: noUsage,
    lost: [],
  }
}

function streamOf(reply: Reply, dialect: Dialect, call: Call, nowMs: number): string {
  const encoder = dialect.createEncoder(call, nowMs)
  const [block] = reply.blocks
  if (block === undefined || (block.type !== 'text' && block.type !== 'refusal')) return ''
  const deltas = [
    { type: 'start', id: reply.id, model: reply.model },
    { type: 'usage', usage: noUsage },
    { type: 'blockStart', index: 0, block: { type: block.type } },
    { type: 'blockDelta', index: 0, text: block.text },
    { type: 'blockEnd', index: 0 },
    { type: 'end', finish: reply.finish, nativeFinish: reply.nativeFinish },
  ] as const
  return deltas.map((delta) => encoder.push(delta)).join('') + encoder.end()
}

/** Text of a stream as the caller wants it framed. */
function framed(text: string, call: Call): string {
  if (call.asArray !== true) return text
  const inner: Carrier = {
    ...{ lost: [], waitingBytes: 0 },
    take: () => undefined,
    flush: () => text,
    drop() {},
    finish: () => ({ complete: true, rest: text }),
    end: () => '',
    cut: () => '',
    fail: () => '',
  }
  const framing = new ArrayFraming(inner)
  return framing.finish().rest + framing.end()
}

/** The whole answer of a call that a guardrail declined before any model was asked. */
function declinedAnswer(
  decline: NonNullable<Stop['decline']>,
  call: Call,
  { dialect, id, nowMs }: { readonly dialect: Dialect; readonly id: string; readonly nowMs: number },
): DeclinedAnswer {
  const reply = replyOf(decline, call, id)
  if (!call.stream) {
    return {
      contentType: 'application/json',
      body: JSON.stringify(dialect.encodeReply(reply, call, nowMs).body),
    }
  }
  const contentType = call.asArray === true ? 'application/json' : 'text/event-stream; charset=utf-8'
  return { contentType, body: framed(streamOf(reply, dialect, call, nowMs), call) }
}

/** Tells the caller, in an answer or as an error, that there is none. */
export function decline(
  { refusal, decline: said }: Stop,
  { call }: Pick<AllowedCall, 'call'>,
  {
    incoming,
    trail,
    parts,
  }: { readonly incoming: Incoming; readonly trail: Trail; readonly parts: GatewayParts },
): void {
  if (said === undefined || call.operation !== 'chat' || call.native !== undefined) throw refusal
  const { dialect, writer } = incoming
  const { contentType, body } = declinedAnswer(said, call, { dialect, id: trail.id, nowMs: parts.clock() })
  trail.error = refusal
  trail.status = 200
  writer.send(200, ['content-type', contentType, ...servedHeaders(trail)], body)
}
