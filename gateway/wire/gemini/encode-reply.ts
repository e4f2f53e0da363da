import type { Call, Reply, ReplyBlock } from '../../call.ts'
import { inputOfArguments } from '../anthropic-messages/tool-arguments.ts'
import { createToolNames } from '../tool-names.ts'
import { encodeFinish } from './finish.ts'
import { encodeGrounding, type GroundedAnswer, ungrounded } from './grounding.ts'
import { sealSignature } from './thought-signature.ts'
import { encodeGeminiUsage } from './usage.ts'

export type Part = Record<string, unknown>

/**
 * A canonical answer as Gemini's. Thinking of other providers stands in parts of thought, their proof in the place of
 * the signature, from where both go back with the next turn.
 */
export function encodeGeminiReply(reply: Reply, call: Call): { body: unknown; dropped: string[] } {
  const nameOf = createToolNames(call.summary.toolNames)
  const parts: Part[] = []
  const texts: GroundedAnswer['texts'][number][] = []
  for (const block of reply.blocks) {
    if (block.type === 'text' && block.text !== '') {
      texts.push({ text: block.text, citations: block.citations ?? [], partIndex: parts.length })
    }
    parts.push(...encodeBlock(block, nameOf, reply.finish === 'length'))
  }
  const grounded = { texts, searches: reply.blocks.filter((block) => block.type === 'search') }
  const grounding = encodeGrounding(grounded)
  const usage = encodeGeminiUsage(reply.usage)
  const candidate = {
    content: { parts: parts.length === 0 ? [{ text: '' }] : parts, role: 'model' },
    finishReason: encodeFinish(reply.finish),
    index: 0,
    ...(grounding !== undefined && { groundingMetadata: grounding }),
  }
  const body = {
    candidates: [candidate],
    ...(usage !== undefined && { usageMetadata: usage }),
    modelVersion: reply.model,
    responseId: reply.id,
  }
  return { body, dropped: [...reply.lost, ...ungrounded(grounded)] }
}

function encodeBlock(block: ReplyBlock, nameOf: (name: string) => string, isCut: boolean): Part[] {
  switch (block.type) {
    case 'search':
      return []
    case 'text':
    case 'refusal':
      return block.text === '' ? [] : [{ text: block.text }]
    case 'toolCall':
      return [functionCallPart({ ...block, name: nameOf(block.name) }, isCut)]
    case 'reasoning': {
      const signature = sealSignature(block)
      if (block.text === '' && signature === undefined) return []
      return [thoughtPart(block.text, signature)]
    }
  }
}

export function thoughtPart(text: string, signature?: string): Part {
  return { text, thought: true, ...(signature !== undefined && { thoughtSignature: signature }) }
}

export function functionCallPart(call: { id: string; name: string; arguments: string }, isCut = false): Part {
  return { functionCall: { id: call.id, name: call.name, args: inputOfArguments(call.arguments, isCut) } }
}
