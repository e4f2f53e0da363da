import { Refusal } from '@signalbox/sdk/contract'
import type { Reply } from '../call.ts'
import type { PlannedStep, PlannedTarget } from '../steps/select.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import type { Way } from '../way.ts'
import { type KeptAnswer, keepAnswer } from './keep-answer.ts'
import { sendReply } from './send-reply.ts'
import { plainOf, withDraft } from './step-call.ts'
import { runs, signalsOf } from './step-signals.ts'

/** Tries targets in order, as the plan has them. */
export type TryOrder = (order: readonly PlannedTarget[], way: Way) => Promise<AttemptFailure | undefined>

const bytesPerToken = 4

function textOf({ blocks }: Reply): string {
  return blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('')
}

/** A call of a tool is for the caller: no other step can answer it, or make it better. */
function isFinal({ blocks }: Reply): boolean {
  return blocks.some(({ type }) => type === 'toolCall' || type === 'refusal')
}

/** Steps that run one after the other, each with what the one before it wrote. */
class PipelineRun {
  readonly #way: Way
  readonly #tryOrder: TryOrder
  readonly #signals = new Map<string, string | number>()
  #kept: KeptAnswer | undefined

  constructor(way: Way, tryOrder: TryOrder) {
    this.#way = way
    this.#tryOrder = tryOrder
  }

  async run(steps: readonly PlannedStep[]): Promise<AttemptFailure | undefined> {
    const last = steps.at(-1)
    for (const step of steps) {
      if (!runs(step.onlyIf, this.#signals)) continue
      const failure = step === last ? await this.#finish(step) : await this.#draft(step)
      if (failure === undefined) {
        if (step === last) return undefined
        if (this.#kept !== undefined && isFinal(this.#kept.reply)) break
        continue
      }
      if (step.onFailure === 'returnPrevious' && this.#kept !== undefined) break
      return { ...failure, fallback: step.onFailure === 'nextTarget' && failure.fallback }
    }
    if (this.#kept === undefined) {
      const detail = 'no step of the pipeline ran'
      throw new Refusal('policy_invalid_decision', { detail })
    }
    await sendReply(this.#kept.reply, this.#kept.attempt, this.#way)
    return undefined
  }

  /** The way of a step: the call with the latest draft behind its conversation. */
  #wayOf(step: PlannedStep): Way {
    const { allowed, incoming } = this.#way
    if (this.#kept === undefined) return { ...this.#way, step: step.id }
    const call = withDraft(allowed.call, textOf(this.#kept.reply), incoming.dialect)
    const inputTokens = Math.ceil(call.raw.length / bytesPerToken)
    return { ...this.#way, step: step.id, allowed: { ...allowed, call, inputTokens } }
  }

  async #finish(step: PlannedStep): Promise<AttemptFailure | undefined> {
    const failure = await this.#tryOrder(step.order, this.#wayOf(step))
    // What was answered is not what the caller's own request would have been.
    if (failure === undefined) this.#way.trail.identity = false
    return failure
  }

  async #draft(step: PlannedStep): Promise<AttemptFailure | undefined> {
    const way = this.#wayOf(step)
    const { allowed } = way
    let kept: KeptAnswer | undefined
    const failure = await this.#tryOrder(step.order, {
      ...way,
      allowed: { ...allowed, call: plainOf(allowed.call) },
      keep: (open, own) =>
        keepAnswer(open, own, (answer) => {
          kept = answer
        }),
    })
    if (failure !== undefined || kept === undefined) return failure
    this.#kept = kept
    for (const [name, value] of this.#seenOf(step.id, kept)) this.#signals.set(name, value)
    return undefined
  }

  #seenOf(id: string, { reply, attempt }: KeptAnswer): [string, string | number][] {
    const { usage, costNanoUsd, endMs, startMs } = attempt
    return signalsOf(id, {
      finish: reply.finish,
      chars: textOf(reply).length,
      durationMs: Math.round(endMs - startMs),
      ...(usage?.input !== undefined && { inputTokens: usage.input }),
      ...(usage?.output !== undefined && { outputTokens: usage.output }),
      ...(costNanoUsd !== undefined && { costNanoUsd: Number(costNanoUsd) }),
    })
  }
}

/**
 * Runs the steps of a pipeline. What all but the last one write is kept from the caller and goes to the next step;
 * the last one answers the caller as he asked. Each is admitted, paid and recorded for itself.
 */
export function servePipeline(
  steps: readonly PlannedStep[],
  way: Way,
  tryOrder: TryOrder,
): Promise<AttemptFailure | undefined> {
  const { call } = way.allowed
  if (call.operation !== 'chat' || call.native !== undefined) {
    throw new Refusal('unsupported_feature', { message: 'A pipeline serves conversations only.' })
  }
  return new PipelineRun(way, tryOrder).run(steps)
}
