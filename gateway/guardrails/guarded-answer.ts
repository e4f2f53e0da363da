import { Meter } from '../meter.ts'
import type { OpenAttempt } from '../steps/attempt.ts'
import { relayStream, type StreamRelayInput } from '../steps/relay-stream.ts'
import type { WholeAnswer } from '../steps/relay-whole.ts'
import { noteStored } from '../stored-answers.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import type { Way } from '../way.ts'
import { decline } from './decline.ts'
import type { GuardedStream } from './guard-stream.ts'
import { relayHeld } from './held-stream.ts'
import type { Stop } from './verdict-log.ts'

/** An answer that a guardrail lets nobody see. */
export interface StoppedAnswer {
  readonly stop: Stop
  /** Another target may give one that fits. */
  readonly retry: boolean
  readonly meter: Meter
}
/** An attempt and its call, and how it is settled as one that was answered. */
export interface Answering {
  readonly open: OpenAttempt
  readonly way: Way
  readonly settle: () => void
}

/** Shows a plain answer, as it would go out, to the guardrails of the call. */
export async function screenWhole(
  answer: WholeAnswer,
  open: OpenAttempt,
  { allowed }: Way,
): Promise<WholeAnswer | StoppedAnswer> {
  const { guards } = allowed
  if (guards === undefined) return answer
  const { body, changed, stop, retry } = await guards.screenAnswer(
    answer.body,
    open.target.name,
    open.trail.index,
  )
  return stop === undefined ? { ...answer, body, changed } : { stop, retry, meter: answer.meter }
}

/** Ends an attempt whose answer nobody sees: it was given all the same, and is paid for. */
export function stopAnswer(
  { stop, retry, meter }: StoppedAnswer,
  { open, way, settle }: Answering,
): AttemptFailure | undefined {
  const attempt = open.trail
  noteStored(meter.storedIds, open.target, way)
  attempt.usage = meter.usage
  attempt.meteredChars = meter.chars
  attempt.finish = meter.finish
  if (retry) return { outcome: 'invalid', refusal: stop.refusal, fallback: true, answer: undefined }
  settle()
  decline(stop, way.allowed, way)
  return undefined
}

/** Relays a stream under the guardrails of its call: held to its end, or looked at while it goes out. */
export async function relayGuarded(
  input: StreamRelayInput,
  guarded: GuardedStream,
  answering: Answering,
): Promise<AttemptFailure | undefined> {
  if (!guarded.held) {
    const settle: StreamRelayInput['settle'] = (end) => {
      guarded.end()
      return input.settle(end)
    }
    return relayStream({ ...input, screen: guarded.screen, settle })
  }
  const meter = new Meter()
  const held = await relayHeld(input, { ...answering, meter })
  if (held === 'sent') return undefined
  return 'failure' in held ? held.failure : stopAnswer({ ...held, meter }, answering)
}

/** An answer of bytes that no guardrail can read; undefined where none has to. */
export function failureOfUnseen({ allowed }: Way): AttemptFailure | undefined {
  const refusal = allowed.guards?.refusalOfUnseen()
  return refusal && { outcome: 'invalid', refusal, fallback: false, answer: undefined }
}
