import type { Reply } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { cutRefusal, relayAssembled } from '../relay/assembling-relay.ts'
import { openScreen } from '../screen.ts'
import type { OpenAttempt } from '../steps/attempt.ts'
import { relayWhole, type WholeAnswer } from '../steps/relay-whole.ts'
import type { AttemptTrail } from '../trail.ts'
import { type AttemptFailure, invalidAnswer } from '../upstream/judge-failure.ts'
import { parseBody } from '../upstream/read-whole.ts'
import { endAttempt, growing, noteExchange, type Way } from '../way.ts'

/** An answer that was kept for the next step, and the attempt that gave it. */
export interface KeptAnswer {
  readonly reply: Reply
  readonly attempt: AttemptTrail
}

/** Reads an answer to its end, settles its attempt and keeps it: nothing of it goes to the caller. */
export async function keepAnswer(
  open: OpenAttempt,
  way: Way,
  keep: (answer: KeptAnswer) => void,
): Promise<AttemptFailure | undefined> {
  const { exchange, request, target } = open
  let reply: Reply | undefined
  const tap: Dialect = {
    ...way.incoming.dialect,
    encodeReply(decoded) {
      reply = decoded
      return { body: {}, dropped: [] }
    },
  }
  const relay = {
    ...{ exchange, request, provider: target.provider, credential: target.connection.credential },
    call: way.allowed.call,
    dialect: tap,
    screen: openScreen,
    recordId: way.trail.id,
    nowMs: way.parts.clock(),
  }
  let result: AttemptFailure | (WholeAnswer & { readonly isCut?: boolean })
  if (open.isAssembled) {
    const assembled = await relayAssembled({ ...relay, mayGoOn: growing(open, way) ?? (() => true) })
    open.trail.seenTokens = assembled.meter.seenTokens
    open.trail.usage = assembled.meter.usage
    result = assembled.result
  } else result = await relayWhole(relay)
  if ('refusal' in result) return result
  const { meter, body, isCut = false } = result
  try {
    reply ??= target.provider.decodeReply(parseBody(body), body)
  } catch (cause) {
    return invalidAnswer('the answer cannot be read', cause)
  }
  noteExchange(open)
  const attempt = open.trail
  attempt.usage = meter.usage
  attempt.meteredChars = meter.chars
  attempt.seenTokens = meter.seenTokens
  attempt.finish = meter.finish ?? reply.nativeFinish
  endAttempt(attempt, { outcome: isCut ? 'cut' : 'ok', refusal: isCut ? cutRefusal() : undefined }, way)
  keep({ reply, attempt })
  return undefined
}
