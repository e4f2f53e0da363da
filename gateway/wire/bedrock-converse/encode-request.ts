import type { Block, ChatPayload } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { encodeMessagesRequest } from '../anthropic-messages/encode-request.ts'
import { fitBlocks } from '../fit-blocks.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { Losses } from '../losses.ts'
import { loseSearch } from '../web-search-request.ts'

type Part = Record<string, unknown>

/** A model that takes sampling and forced tools and neither thinks nor knows schemas: as most of Bedrock's others. */
const plainModel = 'claude-3-haiku-20240307'
const claudeName = /claude-[a-z0-9-]+?(?=-v\d|:|$)/

/** The Claude model that an id of Bedrock means (`eu.anthropic.claude-opus-4-8-v1:0`); undefined for other makers. */
export function claudeOf(model: string): string | undefined {
  return model.includes('anthropic.') ? claudeName.exec(model)?.[0] : undefined
}

function cachePoint(block: JsonObject): Part[] {
  const cache = asObject(block.cache_control)
  if (cache === undefined) return []
  return [{ cachePoint: { type: 'default', ...(cache.ttl === '1h' && { ttl: '1h' }) } }]
}

function mediaOf(block: JsonObject, index: number): Part | undefined {
  const source = asObject(block.source) ?? {}
  const mediaType = asString(source.media_type) ?? ''
  if (block.type === 'image') {
    if (source.type !== 'base64') return undefined
    return { image: { format: mediaType.slice('image/'.length), source: { bytes: source.data } } }
  }
  // A name has only letters, digits, spaces, hyphens and brackets, and stands once in a request.
  const title = (asString(block.title) ?? 'document').replace(/[^A-Za-z0-9 \-()[\]]+/g, '-').slice(0, 150)
  const name = `${title}-${index}`
  if (source.type === 'base64') return { document: { format: 'pdf', name, source: { bytes: source.data } } }
  if (source.type !== 'text') return undefined
  return { document: { format: 'txt', name, source: { text: source.data } } }
}

/** Converse takes bytes and texts, no addresses; and thinking is signed for Claude alone. */
function fitBlock(block: Block, isClaude: boolean, losses: Losses): Block | undefined {
  const isElsewhere =
    (block.type === 'image' || block.type === 'document') &&
    block.base64 === undefined &&
    block.url !== undefined
  if (isElsewhere)
    losses.dropMeaning(block.path, 'The chosen model takes images and documents only as bytes.')
  else if (block.type === 'reasoning' && !isClaude) losses.drop(block.path)
  else return block
  return undefined
}

class Converter {
  readonly #losses: Losses
  readonly #claude: boolean
  #documents = 0

  constructor(claude: boolean, losses: Losses) {
    this.#claude = claude
    this.#losses = losses
  }

  blocks(value: unknown): Part[] {
    if (typeof value === 'string') return [{ text: value }]
    return asArray(value).flatMap((block) => (isObject(block) ? this.#block(block) : []))
  }

  #block(block: JsonObject): Part[] {
    const converted = this.#convert(block)
    if (converted !== undefined) return [converted, ...cachePoint(block)]
    const path = `messages[].content[].${asString(block.type) ?? 'type'}`
    if (block.type === 'document' || block.type === 'image') this.#losses.dropMeaning(path)
    else this.#losses.drop(path)
    return []
  }

  #convert(block: JsonObject): Part | undefined {
    switch (block.type) {
      case 'text':
        return { text: block.text }
      case 'image':
      case 'document':
        return mediaOf(block, this.#documents++)
      case 'tool_use':
        return { toolUse: { toolUseId: block.id, name: block.name, input: block.input } }
      case 'tool_result': {
        const content = this.blocks(block.content)
        const status = block.is_error === true && { status: 'error' }
        return { toolResult: { toolUseId: block.tool_use_id, content, ...status } }
      }
      // A signature means something to its maker alone.
      case 'thinking':
        if (!this.#claude) return undefined
        return { reasoningContent: { reasoningText: { text: block.thinking, signature: block.signature } } }
      case 'redacted_thinking':
        if (!this.#claude) return undefined
        return { reasoningContent: { redactedContent: block.data } }
      default:
        return undefined
    }
  }
}

/** Whether the conversation has calls of tools, which Converse takes only with the tools that they are of. */
function hasToolCalls({ messages }: ChatPayload): boolean {
  return messages.some(({ blocks }) =>
    blocks.some(({ type }) => type === 'toolCall' || type === 'toolResult'),
  )
}

/** Tools that run at Anthropic are not to be had here. */
function toolConfigOf(body: JsonObject, payload: ChatPayload, losses: Losses): Part | undefined {
  const all = asArray(body.tools).map((value) => asObject(value) ?? {})
  if (all.some(({ input_schema: schema }) => schema === undefined)) losses.dropMeaning('tools[]')
  const tools = all.flatMap((tool) => {
    if (tool.input_schema === undefined) return []
    const { name, description, input_schema: json, strict } = tool
    const said = { ...(description !== undefined && { description }), ...(strict === true && { strict }) }
    return [{ toolSpec: { name, ...said, inputSchema: { json } } }, ...cachePoint(tool)]
  })
  const choice = asObject(body.tool_choice)
  if (tools.length === 0) return undefined
  if (choice?.type === 'none') {
    // There is no word for it: without tools none is called.
    if (!hasToolCalls(payload)) return undefined
    losses.dropMeaning(payload.paths.toolChoice ?? 'tool_choice')
    return { tools }
  }
  if (choice?.disable_parallel_tool_use === true) {
    losses.dropMeaning(
      payload.paths.parallelToolCalls ?? 'parallel_tool_calls',
      'The chosen model cannot be told to call one tool at a time.',
    )
  }
  if (choice?.type === 'tool') return { tools, toolChoice: { tool: { name: choice.name } } }
  if (choice?.type === 'any') return { tools, toolChoice: { any: {} } }
  return { tools, ...(choice?.type === 'auto' && { toolChoice: { auto: {} } }) }
}

/** Of Messages, what Converse has a member for. */
const converted = new Set([
  ...['model', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'metadata'],
  ...['max_tokens', 'temperature', 'top_p', 'stop_sequences', 'output_config'],
])

function outputOf(body: JsonObject): { outputConfig?: Part; effort?: unknown } {
  const { format, ...rest } = asObject(body.output_config) ?? {}
  const schema = asObject(format)?.schema
  const effort = Object.keys(rest).length > 0 && { effort: rest }
  if (schema === undefined) return { ...effort }
  const structure = { jsonSchema: { name: 'answer', schema: JSON.stringify(schema) } }
  return { ...effort, outputConfig: { textFormat: { type: 'json_schema', structure } } }
}

/** Members that only Claude has travel beside the request; other makers' models would refuse them. */
function additionalOf(body: JsonObject, isClaude: boolean, payload: ChatPayload, losses: Losses): Part {
  const additional: Part = {}
  for (const [member, value] of Object.entries(body)) {
    if (converted.has(member)) continue
    if (isClaude) additional[member] = value
    else losses.drop((member === 'top_k' ? payload.paths.topK : undefined) ?? member)
  }
  return additional
}

export interface ConverseRequest {
  readonly body: Part
  readonly dropped: readonly string[]
  readonly responseDropped: readonly string[]
}

/**
 * A canonical request as a Converse body: what Messages says, in Converse's words, as Converse took its blocks from
 * there. Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. Throws a Refusal
 * `unsupported_feature` where the model or the format cannot take what the call means.
 */
export function encodeConverseRequest(
  payload: ChatPayload,
  stream: boolean,
  options: EncodeOptions,
): ConverseRequest {
  const claude = claudeOf(options.model)
  const isClaude = claude !== undefined
  const losses = new Losses(options.fidelity)
  loseSearch(payload, losses)
  const { webSearch: _search, ...rest } = payload
  const fitting = fitBlocks(rest, (block) => fitBlock(block, isClaude, losses))
  const encoded = encodeMessagesRequest(fitting, stream, { ...options, model: claude ?? plainModel })
  const { body } = encoded
  const converter = new Converter(isClaude, losses)
  const messages = asArray(body.messages).map((value) => {
    const turn = asObject(value) ?? {}
    return { role: turn.role, content: converter.blocks(turn.content) }
  })
  const system = body.system === undefined ? undefined : converter.blocks(body.system)
  const toolConfig = toolConfigOf(body, payload, losses)
  const { outputConfig, effort } = outputOf(body)
  const isLimited = isClaude || payload.maxOutputTokens !== undefined || hasCap(options)
  const inferenceConfig = {
    ...(isLimited && { maxTokens: body.max_tokens }),
    ...(body.temperature !== undefined && { temperature: body.temperature }),
    ...(body.top_p !== undefined && { topP: body.top_p }),
    ...(body.stop_sequences !== undefined && { stopSequences: body.stop_sequences }),
  }
  const additional = additionalOf(body, isClaude, payload, losses)
  if (effort !== undefined && isClaude) additional.output_config = effort
  if (payload.userId !== undefined) losses.drop(payload.paths.userId ?? 'metadata.user_id')
  return {
    body: {
      messages,
      ...(system !== undefined && { system }),
      inferenceConfig,
      ...(toolConfig !== undefined && { toolConfig }),
      ...(outputConfig !== undefined && { outputConfig }),
      ...(Object.keys(additional).length > 0 && { additionalModelRequestFields: additional }),
    },
    dropped: [...new Set([...encoded.dropped, ...losses.dropped])],
    responseDropped: encoded.responseDropped,
  }
}

function hasCap({ caps, patch }: EncodeOptions): boolean {
  return caps.maxOutputTokens !== undefined || patch?.maxOutputTokens !== undefined
}
