import type { TextPart } from '@signalbox/sdk/contract'
import { type JsonEntry, type JsonNode, stringAt } from './json-tree.ts'

/** A text in a JSON body: what part it is of, and where it stands, quotes included. */
export interface TextPlace {
  readonly part: TextPart
  readonly start: number
  readonly end: number
  readonly text: string
  /** The text is JSON itself: its escapes are read too. */
  readonly nested: boolean
}
interface Walk {
  readonly part: TextPart
  /** Every string and every name counts: arguments, schemas, results. */
  readonly free: boolean
}

/** Data that is written as text is not text: its start tells. */
const dataStart = /^(?:data:[^,]{0,80};base64,|[A-Za-z0-9+/_-]{512})/
/** Members whose strings are names and ids of the format, not text of anybody. */
const formal = new Set([
  ...['type', 'role', 'id', 'object', 'model', 'status', 'finish_reason', 'stop_reason', 'finishReason'],
  ...['call_id', 'tool_call_id', 'tool_use_id', 'toolCallId', 'item_id', 'response_id', 'responseId'],
  ...[
    'modelVersion',
    'media_type',
    'mime_type',
    'mimeType',
    'format',
    'detail',
    'signature',
    'thoughtSignature',
  ],
  ...['thought_signature', 'encrypted_content', 'file_id', 'fileId', 'previous_response_id', 'service_tier'],
  ...['system_fingerprint', 'encoding_format'],
])
/** What stands under a name, wherever that is. */
const partsByName: Readonly<Record<string, TextPart>> = {
  system: 'system',
  instructions: 'system',
  systemInstruction: 'system',
  system_instruction: 'system',
  tools: 'tools',
  functions: 'tools',
  messages: 'user',
  input: 'user',
  prompt: 'user',
  contents: 'user',
  choices: 'assistant',
  candidates: 'assistant',
  output: 'assistant',
  tool_calls: 'toolCall',
  function_call: 'toolCall',
  functionCall: 'toolCall',
  functionResponse: 'toolResult',
  function_response: 'toolResult',
  reasoning_content: 'reasoning',
  reasoning_details: 'reasoning',
  reasoning: 'reasoning',
  thinking: 'reasoning',
}
const topLevelOnly = new Set([
  'system',
  'instructions',
  'messages',
  'input',
  'prompt',
  'contents',
  'output',
  'tools',
])
const partsByRole: Readonly<Record<string, TextPart>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  model: 'assistant',
  tool: 'toolResult',
  function: 'toolResult',
}
const freeNames = new Set([
  'arguments',
  'args',
  'parameters',
  'input_schema',
  'schema',
  'metadata',
  'response',
])

function partOfType(type: string): TextPart | undefined {
  if (/(?:_result|_output|^tool_result)$/.test(type)) return 'toolResult'
  if (/(?:^tool_use|_tool_use|_call)$/.test(type)) return 'toolCall'
  return type === 'thinking' || type === 'redacted_thinking' || type === 'reasoning' ? 'reasoning' : undefined
}

/** Finds the texts of a body, of a request or an answer, in any dialect: their names for parts do not clash. */
class PlaceFinder {
  readonly places: TextPlace[] = []
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  walk(node: JsonNode, walk: Walk, depth: number): void {
    if (node.type === 'string') this.#take(node, walk, false)
    else if (node.type === 'array') for (const item of node.items) this.walk(item, walk, depth)
    else if (node.type === 'object') this.#object(node.members, walk, depth)
  }

  #object(members: readonly JsonEntry[], walk: Walk, depth: number): void {
    const own = walk.free ? walk.part : this.#partOf(members, walk.part)
    for (const { name, key, value } of members) {
      if (walk.free) this.#take(key, walk, false)
      else if (formal.has(name) && value.type === 'string') continue
      const part = walk.free ? own : this.#partUnder(name, own, depth)
      const isInput = name === 'input' && own === 'toolCall'
      const free = walk.free || (value.type !== 'string' && (freeNames.has(name) || isInput))
      if (value.type === 'string') this.#take(value, { part, free }, name === 'arguments')
      else this.walk(value, { part, free }, depth + 1)
    }
  }

  #partUnder(name: string, part: TextPart, depth: number): TextPart {
    if (depth > 0 && topLevelOnly.has(name)) return part
    if (depth === 0 && name === 'content') return 'assistant'
    return (Object.hasOwn(partsByName, name) ? partsByName[name] : undefined) ?? part
  }

  /** What an object says of itself by its role or its type. */
  #partOf(members: readonly JsonEntry[], part: TextPart): TextPart {
    let own = part
    for (const { name, value } of members) {
      if (name === 'thought' && value.type === 'other') own = 'reasoning'
      if (value.type !== 'string' || (name !== 'role' && name !== 'type')) continue
      const said = stringAt(this.#bytes, value)
      const known = Object.hasOwn(partsByRole, said) ? partsByRole[said] : undefined
      own = (name === 'role' ? known : partOfType(said)) ?? own
    }
    return own
  }

  #take(place: { readonly start: number; readonly end: number }, { part }: Walk, isJson: boolean): void {
    if (place.end - place.start <= 2) return
    const text = stringAt(this.#bytes, place)
    if (dataStart.test(text)) return
    const nested = isJson || /^\s*[[{"]/.test(text)
    this.places.push({ part, start: place.start, end: place.end, text, nested })
  }
}

/** The texts of a JSON body, in the order in which they stand. */
export function textPlacesOf(bytes: Buffer, tree: JsonNode): readonly TextPlace[] {
  const finder = new PlaceFinder(bytes)
  finder.walk(tree, { part: 'other', free: false }, 0)
  return finder.places
}
