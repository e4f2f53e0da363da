import type { Block, ChatPayload } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { fitBlocks } from '../fit-blocks.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { Losses } from '../losses.ts'
import { callersName } from '../openai-chat/adapt-members.ts'
import { encodeChatRequest } from '../openai-chat/encode-request.ts'
import { type ChatQuirks, compatibleQuirks } from '../openai-chat/quirks.ts'

type Part = Record<string, unknown>

/** Chat Completions as Cohere's v2 took it over, with its own names. Source: docs.cohere.com/reference/chat. */
export const cohereQuirks: ChatQuirks = {
  ...compatibleQuirks,
  joinsTexts: false,
  takesTopK: true,
  takesStreamOptions: false,
  reasoningAs: 'switch',
  refuses: ['user', 'safety_identifier', 'logit_bias'],
  renames: { max_completion_tokens: 'max_tokens', top_p: 'p', top_k: 'k', stop: 'stop_sequences' },
}
const taken = new Set([
  ...['model', 'messages', 'stream', 'tools', 'tool_choice', 'strict_tools', 'thinking', 'response_format'],
  ...[
    'max_tokens',
    'temperature',
    'p',
    'k',
    'seed',
    'stop_sequences',
    'frequency_penalty',
    'presence_penalty',
  ],
  ...['documents', 'citation_options', 'safety_mode', 'logprobs', 'priority'],
])
/** What is lost with these changes the answer. */
const meaning = new Set(['n', 'audio', 'modalities', 'web_search_options', 'functions', 'function_call'])

/** What a part of a message can be here: text, an image, thinking; a refusal is said as a text. */
function fitBlock(block: Block, losses: Losses): Block | undefined {
  if (block.type === 'refusal') return { ...block, type: 'text' }
  const isFile = block.type === 'document' && block.text === undefined
  if (!isFile && block.type !== 'audio' && block.type !== 'opaque') return block
  losses.dropMeaning(block.path, `The chosen model takes no parts of this kind.`)
  return undefined
}

/** Thinking is a part of the content here, not a member of the message. */
function messageOf(value: unknown, index: number, losses: Losses): Part {
  const {
    reasoning_content: thinking,
    reasoning: _,
    reasoning_details: __,
    name,
    ...rest
  } = asObject(value) ?? {}
  const path = `messages[${index}]`
  if (name !== undefined) losses.drop(`${path}.name`)
  const role = rest.role === 'developer' ? 'system' : rest.role
  const message: Part = { ...rest, role }
  if (rest.content === null || rest.content === '') delete message.content
  if (typeof thinking !== 'string') return message
  const texts =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
  return { ...message, content: [{ type: 'thinking', thinking }, ...asArray(texts)] }
}

/** Tools that may be called, and whether one must be: Cohere has no way to name one, so only that one is offered. */
function addTools(body: Part, losses: Losses): void {
  const choice = body.tool_choice
  delete body.tool_choice
  const allowed = asObject(asObject(choice)?.allowed_tools)
  const named = asString(asObject(asObject(choice)?.function)?.name)
  const names = allowed === undefined ? [named] : asArray(allowed.tools).map(toolName)
  const isSome = allowed !== undefined || named !== undefined
  if (isSome) body.tools = asArray(body.tools).filter((tool) => names.includes(toolName(tool)))
  const word = allowed === undefined ? (named === undefined ? choice : 'required') : allowed.mode
  if (word === 'required' || word === 'none') body.tool_choice = word.toUpperCase()
  const tools = asArray(body.tools)
  if (tools.some((tool) => asObject(asObject(tool)?.function)?.strict === true)) body.strict_tools = true
  if (body.tools === undefined) return
  body.tools = tools.filter((tool, index) => {
    if (isObject(asObject(tool)?.function)) return true
    losses.dropMeaning(`tools[${index}]`)
    return false
  })
}

const toolName = (tool: unknown): string | undefined => asString(asObject(asObject(tool)?.function)?.name)

function addFormat(body: Part, { output }: ChatPayload): void {
  if (output?.type !== 'jsonSchema') return
  const { schema, description } = output
  const whole = isObject(schema) && description !== undefined ? { description, ...schema } : schema
  body.response_format = { type: 'json_object', json_schema: whole }
}

function withoutOthers(body: JsonObject, payload: ChatPayload, losses: Losses): Part {
  const kept: Part = {}
  for (const [member, value] of Object.entries(body)) {
    if (taken.has(member)) kept[member] = value
    else if (member === 'parallel_tool_calls' && value === false)
      losses.dropMeaning(callersName(member, payload))
    else if (meaning.has(member) && !(member === 'n' && value === 1)) losses.dropMeaning(member)
    else if (member !== 'parallel_tool_calls' && member !== 'n') losses.drop(callersName(member, payload))
  }
  return kept
}

/**
 * A canonical request as a v2 chat body. What has no place there is named; what would change the meaning is refused as
 * the call's fidelity says. Throws a Refusal `unsupported_feature`.
 */
export function encodeCohereRequest(
  payload: ChatPayload,
  stream: boolean,
  options: EncodeOptions,
): { body: Part; dropped: readonly string[]; responseDropped: readonly string[] } {
  const losses = new Losses(options.fidelity)
  const fitting = fitBlocks(payload, (block) => fitBlock(block, losses))
  const encoded = encodeChatRequest(fitting, stream, options, cohereQuirks)
  const { messages, ...rest } = encoded.body
  const body: Part = { ...rest }
  body.messages = asArray(messages).map((message, index) => messageOf(message, index, losses))
  addTools(body, losses)
  addFormat(body, payload)
  const kept = withoutOthers(body, payload, losses)
  const dropped = [...new Set([...encoded.dropped, ...losses.dropped])]
  return { body: kept, dropped, responseDropped: encoded.responseDropped }
}
