import type { Delta, UsageCounts } from './call.ts'
import { isPlausibleUsage } from './prices.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** A response object ends with a status, or with the reason why it is incomplete. */
function endOfResponse({ status, incomplete_details: details }: Readonly<Record<string, unknown>>): unknown {
  return isObject(details) && typeof details.reason === 'string' ? details.reason : status
}

/** The name and the framing of a tool call, and what else may be in an event without text. */
const tokensPerSilentEvent = 32

/** Sees all that an upstream sends, before anything is withheld or changed; settlement follows it. */
export class Meter {
  /** As reported, the latest word counting; undefined where nothing plausible was. */
  usage: UsageCounts | undefined
  /** The provider's own word for the finish; undefined while the answer has not ended. */
  finish: string | undefined
  /** Characters of text, reasoning and arguments, for an estimate where usage is lost. */
  chars = 0
  /** Bytes of all that the model wrote, as far as it is shown. */
  bytes = 0
  /** Events without text: each may stand for a few tokens, such as the name of a tool. */
  silentEvents = 0
  /** Ids of what the provider keeps of the answer. */
  storedIds: readonly string[] = []

  observe(deltas: readonly Delta[]): void {
    for (const delta of deltas) {
      if (delta.type === 'blockDelta') {
        this.chars += delta.text?.length ?? 0
        this.bytes += Buffer.byteLength(delta.text ?? '')
      } else if (delta.type === 'blockStart') this.silentEvents++
      else if (delta.type === 'usage') this.report(delta.usage)
      else if (delta.type === 'end') this.finish = delta.nativeFinish
    }
  }

  /** Tokens of output at most, by what was seen: each stands for at least a byte. */
  get seenTokens(): number {
    return this.bytes + this.silentEvents * tokensPerSilentEvent
  }

  /** The finish of a plain answer that is not decoded: where each format has it, else undefined. */
  readFinish(json: unknown): void {
    const [candidate] = isObject(json) && Array.isArray(json.candidates) ? json.candidates : []
    const [choice] = isObject(json) && Array.isArray(json.choices) ? json.choices : []
    const whole = isObject(json) ? (json.stop_reason ?? endOfResponse(json)) : undefined
    const finish = isObject(choice)
      ? choice.finish_reason
      : isObject(candidate)
        ? candidate.finishReason
        : whole
    if (typeof finish === 'string') this.finish = finish
  }

  report(usage: UsageCounts | undefined): void {
    if (usage !== undefined && isPlausibleUsage(usage)) this.usage = usage
  }
}
