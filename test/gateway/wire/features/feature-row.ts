import type { ChatPayload, Message } from '../../../../gateway/call.ts'

export type Json = Record<string, unknown>
export type Speaker = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'vercel-ai'

/**
 * A row of the table of features: how a caller of each dialect asks for it. A dialect that is not there cannot say it.
 * `read` is what the feature comes to in canonical form: it has to be the same again in a body for another format,
 * or its loss has a name.
 */
export interface Feature {
  readonly name: string
  readonly asks: Readonly<Partial<Record<Speaker, Json>>>
  readonly read?: (payload: ChatPayload) => unknown
}

/** What every request needs; a feature's own members stand above these. */
export const bases: Readonly<Record<Speaker, Json>> = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'q' }] },
  'openai-responses': { model: 'm', input: 'q' },
  'anthropic-messages': { model: 'm', max_tokens: 9000, messages: [{ role: 'user', content: 'q' }] },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'q' }] }] },
  'vercel-ai': { prompt: [{ role: 'user', content: [{ type: 'text', text: 'q' }] }] },
}

export const schema = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Where' } },
  required: ['city'],
  additionalProperties: false,
}
export const png = 'iVBORw0KGgo='
export const pdf = 'JVBERi0xLjQK'
export const fn = { name: 'find', description: 'Finds it', parameters: schema }
export const tools = {
  'openai-chat': [{ type: 'function', function: fn }],
  'openai-responses': [{ type: 'function', ...fn, strict: true }],
  'anthropic-messages': [{ name: 'find', description: 'Finds it', input_schema: schema }],
  gemini: [
    { functionDeclarations: [{ name: 'find', description: 'Finds it', parametersJsonSchema: schema }] },
  ],
  'vercel-ai': [{ type: 'function', name: 'find', description: 'Finds it', inputSchema: schema }],
} as const

/** The same request with tools in every dialect, and what each says of them. */
export function withTools(rest: Readonly<Partial<Record<Speaker, Json>>>): Feature['asks'] {
  const asks: Partial<Record<Speaker, Json>> = {}
  for (const speaker of Object.keys(rest) as Speaker[])
    asks[speaker] = { tools: tools[speaker], ...rest[speaker] }
  return asks
}
export const choice = (mode: string, names?: readonly string[]): Json => ({
  toolConfig: { functionCallingConfig: { mode, ...(names && { allowedFunctionNames: names }) } },
})
/** One user message in every dialect that has a part for it. */
export function userParts(contents: Readonly<Partial<Record<Speaker, readonly Json[]>>>): Feature['asks'] {
  const asks: Partial<Record<Speaker, Json>> = {}
  for (const [speaker, content] of Object.entries(contents) as [Speaker, readonly Json[]][]) {
    const text = { type: speaker === 'openai-responses' ? 'input_text' : 'text', text: 'Look.' }
    const parts = [...content, speaker === 'gemini' ? { text: 'Look.' } : text]
    if (speaker === 'openai-responses') asks[speaker] = { input: [{ role: 'user', content: parts }] }
    else if (speaker === 'gemini') asks[speaker] = { contents: [{ role: 'user', parts }] }
    else if (speaker === 'vercel-ai') asks[speaker] = { prompt: [{ role: 'user', content: parts }] }
    else asks[speaker] = { messages: [{ role: 'user', content: parts }] }
  }
  return asks
}

export const blocksOf = (payload: ChatPayload, ...types: string[]): unknown[] =>
  payload.messages.flatMap(({ blocks }) =>
    blocks
      .flatMap((block) => (block.type === 'toolResult' ? [block, ...block.blocks] : [block]))
      .filter(({ type }) => types.includes(type))
      .map(({ path: _path, ...rest }) => ('blocks' in rest ? { ...rest, blocks: rest.blocks.length } : rest)),
  )
export const sayings = ({ messages }: ChatPayload, role?: Message['role']): unknown[] =>
  messages
    .filter((message) => role === undefined || message.role === role)
    .flatMap((message) =>
      message.blocks.map((block) => [message.role, 'text' in block ? block.text : block.type]),
    )
export const toolResult = ({ messages }: ChatPayload): unknown[] =>
  messages.flatMap(({ blocks }) =>
    blocks.flatMap((block) =>
      block.type === 'toolResult'
        ? [
            [
              block.toolCallId,
              block.isError,
              block.blocks.map((inner) => ('text' in inner ? inner.text : '')),
            ],
          ]
        : [],
    ),
  )
export const toolCalls = (payload: ChatPayload): unknown[] => blocksOf(payload, 'toolCall')
export const offered = ({ tools: all }: ChatPayload): unknown[] =>
  all.map(({ name, description, schema: parameters }) => ({ name, description, parameters }))

export const call = { id: 'call_1', name: 'find' }
export const question = { role: 'user', content: 'q' }
/** A turn with a call and what came of it. */
export function loop(result: Readonly<Record<Speaker, unknown>>): Feature['asks'] {
  return {
    'openai-chat': {
      messages: [
        question,
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"city":"Bonn"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: result['openai-chat'] },
      ],
    },
    'openai-responses': {
      input: [
        question,
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"city":"Bonn"}' },
        { type: 'function_call_output', call_id: 'call_1', output: result['openai-responses'] },
      ],
    },
    'anthropic-messages': {
      messages: [
        question,
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', ...call, input: { city: 'Bonn' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', ...(result['anthropic-messages'] as Json) },
          ],
        },
      ],
    },
    gemini: {
      contents: [
        { role: 'user', parts: [{ text: 'q' }] },
        {
          role: 'model',
          parts: [{ text: 'I look.' }, { functionCall: { ...call, args: { city: 'Bonn' } } }],
        },
        { role: 'user', parts: [{ functionResponse: { ...call, ...(result.gemini as Json) } }] },
      ],
    },
    'vercel-ai': {
      prompt: [
        { role: 'user', content: [{ type: 'text', text: 'q' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I look.' },
            { type: 'tool-call', toolCallId: 'call_1', toolName: 'find', input: { city: 'Bonn' } },
          ],
        },
        {
          role: 'tool',
          content: [
            { type: 'tool-result', toolCallId: 'call_1', toolName: 'find', output: result['vercel-ai'] },
          ],
        },
      ],
    },
  }
}
