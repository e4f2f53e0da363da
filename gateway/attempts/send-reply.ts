import { Refusal } from '@signalbox/sdk/contract'
import { costHeader, servedHeaders } from '../answer-headers.ts'
import type { Reply } from '../call.ts'
import { decline } from '../guardrails/decline.ts'
import { deltasOf } from '../relay/reply-deltas.ts'
import { settleCall } from '../steps/settle.ts'
import type { AttemptTrail } from '../trail.ts'
import type { Way } from '../way.ts'

const eventStream = 'text/event-stream; charset=utf-8'

/**
 * Sends an answer that was kept, as the caller asked for it, when the output guardrails of its call have seen it.
 * @throws Refusal where they let nothing of it out.
 */
export async function sendReply(reply: Reply, attempt: AttemptTrail, way: Way): Promise<void> {
  const { guards, call } = way.allowed
  if (guards === undefined) return send(reply, attempt, way)
  const { body } = way.incoming.dialect.encodeReply(reply, { ...call, stream: false }, way.parts.clock())
  const bytes = Buffer.from(JSON.stringify(body))
  const screened = await guards.screenAnswer(bytes, attempt.target.name, attempt.index)
  if (screened.stop !== undefined) return decline(screened.stop, way.allowed, way)
  if (!screened.changed) return send(reply, attempt, way)
  if (!call.stream) return sendWhole(screened.body, [], attempt, way)
  const detail = 'a kept answer that was changed cannot be streamed'
  throw new Refusal('guardrail_failed', { detail })
}

function sendWhole(body: Buffer, dropped: readonly string[], attempt: AttemptTrail, way: Way): void {
  const { incoming, trail, parts } = way
  attempt.winner = true
  trail.status = 200
  trail.firstTokenMs = parts.clock()
  trail.dropped.push(...dropped)
  const cost = costHeader(settleCall(trail).costNanoUsd)
  incoming.writer.send(200, ['content-type', 'application/json', ...servedHeaders(trail), ...cost], body)
}

function send(reply: Reply, attempt: AttemptTrail, way: Way): void {
  const { allowed, incoming, trail, parts } = way
  const { call } = allowed
  const { dialect, writer } = incoming
  if (!call.stream) {
    const { body, dropped } = dialect.encodeReply(reply, call, parts.clock())
    sendWhole(Buffer.from(JSON.stringify(body)), dropped, attempt, way)
    return
  }
  attempt.winner = true
  trail.status = 200
  trail.firstTokenMs = parts.clock()
  const encoder = dialect.createEncoder(call, parts.clock())
  writer.begin(200, ['content-type', eventStream, 'cache-control', 'no-cache', ...servedHeaders(trail)])
  for (const delta of deltasOf(reply)) writer.write(encoder.push(delta))
  writer.write(encoder.end())
  writer.end()
}
