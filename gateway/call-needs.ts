import type { Caps } from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import { costOf } from './prices.ts'
import type { Target } from './targets.ts'

/** No tokenizer makes fewer tokens of this many bytes than one: what is too long by this is too long. */
const bytesPerTokenMax = 8

/** What a call asks of a model beside text. */
interface CallNeeds {
  readonly images: boolean
  readonly tools: boolean
  readonly structuredOutput: boolean
  /** Tokens of input at least. */
  readonly inputTokens: number
  readonly costNanoUsd: number | undefined
}

function needsOf({ summary, raw }: Call, caps: Caps): CallNeeds {
  const { hasImages } = summary.messages
  return {
    images: hasImages,
    tools: summary.toolNames.length > 0,
    structuredOutput: summary.responseFormat === 'jsonSchema',
    // Pictures are many bytes and few tokens.
    inputTokens: hasImages ? 0 : Math.floor(raw.length / bytesPerTokenMax),
    costNanoUsd: caps.costNanoUsd,
  }
}

/** What of a call's needs a target is known not to meet; undefined where it may serve it. What is not known may be. */
function lackOf({ row, contextTokens, prices }: Target, needs: CallNeeds): string | undefined {
  if (needs.images && row?.inputs !== undefined && !row.inputs.includes('image')) return 'takes no images'
  if (row?.capabilities !== undefined) {
    if (needs.tools && !row.capabilities.includes('tools')) return 'takes no tools'
    if (needs.structuredOutput && !row.capabilities.includes('structuredOutput')) {
      return 'takes no JSON Schema for its answer'
    }
  }
  if (contextTokens !== undefined && needs.inputTokens > contextTokens) return 'the prompt is too long for it'
  if (needs.costNanoUsd !== undefined && prices !== undefined) {
    const cost = costOf({ input: needs.inputTokens }, prices)
    if (cost !== undefined && cost > needs.costNanoUsd) return 'dearer than the ceiling of the call'
  }
  return undefined
}

/** Tells what a target lacks for a call; undefined where the call asks for nothing that any could lack. */
export function lacksFor(call: Call, caps: Caps): ((target: Target) => string | undefined) | undefined {
  const needs = needsOf(call, caps)
  const isSimple =
    !needs.images &&
    !needs.tools &&
    !needs.structuredOutput &&
    needs.costNanoUsd === undefined &&
    needs.inputTokens < 2048
  return isSimple ? undefined : (target) => lackOf(target, needs)
}
