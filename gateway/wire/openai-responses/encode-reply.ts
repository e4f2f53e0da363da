import type { Call, Reply, ReplyBlock } from '../../call.ts'
import { countCharacters, encodeAnnotation } from '../citations.ts'
import { createToolNames } from '../tool-names.ts'
import { toolsByFlatName } from './offered-tools.ts'
import {
  createItemIds,
  messageItem,
  type OutputItem,
  reasoningItem,
  textPart,
  toolCallItem,
} from './output-items.ts'
import { endedResponse, responseObject } from './response-object.ts'
import { searchItem } from './web-search.ts'

/** A canonical answer as Responses: texts next to each other are parts of one message. */
export function encodeResponsesReply(
  reply: Reply,
  call: Call,
  nowMs: number,
): { body: unknown; dropped: string[] } {
  const nowS = Math.floor(nowMs / 1000)
  const response = responseObject({ id: reply.id, model: reply.model, createdS: nowS }, call.json)
  const output = encodeOutput(reply, call)
  const { finish, usage } = reply
  return { body: endedResponse(response, { output, finish, usage, nowS }), dropped: [...reply.lost] }
}

function encodeOutput(reply: Reply, call: Call): OutputItem[] {
  const nameOf = createToolNames(call.summary.toolNames)
  const tools = toolsByFlatName(call.json)
  const makeId = createItemIds(reply.id)
  const output: OutputItem[] = []
  let parts: unknown[] | undefined
  for (const [index, block] of reply.blocks.entries()) {
    const isLast = index === reply.blocks.length - 1
    const status = isLast && reply.finish === 'length' ? 'incomplete' : 'completed'
    const at = output.length
    if (block.type === 'text' || block.type === 'refusal') {
      const part = textPart(block.type, block.text, block.type === 'text' ? annotationsOf(block) : [])
      if (parts === undefined) {
        parts = [part]
        output.push(messageItem(makeId('msg', at), parts, status))
      } else {
        parts.push(part)
        if (isLast) output[at - 1] = { ...messageItem(makeId('msg', at - 1), parts, status) }
      }
      continue
    }
    parts = undefined
    if (block.type === 'search') output.push(searchItem(makeId('ws', at), block))
    else if (block.type === 'reasoning') output.push(reasoningItem(makeId('rs', at), block, status))
    else {
      const named = { ...block, name: nameOf(block.name) }
      output.push(toolCallItem(makeId('fc', at), named, { tool: tools.get(named.name), status }))
    }
  }
  return output
}

function annotationsOf({ text, citations = [] }: Extract<ReplyBlock, { type: 'text' }>): unknown[] {
  const characters = citations.length === 0 ? 0 : countCharacters(text)
  return citations.map((citation) => encodeAnnotation(citation, characters))
}
