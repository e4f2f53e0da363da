import {
  blocksOf,
  type Feature,
  type Json,
  loop,
  png,
  question,
  sayings,
  toolCalls,
  toolResult,
} from './feature-row.ts'

/** Calls of tools and what came of them. */
export const loops: readonly Feature[] = [
  {
    name: 'tool call and its result',
    asks: loop({
      'openai-chat': 'Rain',
      'openai-responses': 'Rain',
      'anthropic-messages': { content: 'Rain' },
      gemini: { response: { output: 'Rain' } },
      'vercel-ai': { type: 'text', value: 'Rain' },
    }),
    read: (payload) => [toolCalls(payload), toolResult(payload)],
  },
  {
    name: 'tool result that is an object',
    asks: loop({
      'openai-chat': '{"sky":"grey"}',
      'openai-responses': '{"sky":"grey"}',
      'anthropic-messages': { content: [{ type: 'text', text: '{"sky":"grey"}' }] },
      gemini: { response: { sky: 'grey' } },
      'vercel-ai': { type: 'json', value: { sky: 'grey' } },
    }),
    read: toolResult,
  },
  {
    name: 'tool result that is an error',
    asks: {
      'anthropic-messages': loop({
        'openai-chat': '',
        'openai-responses': '',
        'anthropic-messages': { content: 'No such place', is_error: true },
        gemini: {},
        'vercel-ai': {},
      })['anthropic-messages'] as Json,
      gemini: loop({
        'openai-chat': '',
        'openai-responses': '',
        'anthropic-messages': {},
        gemini: { response: { error: 'No such place' } },
        'vercel-ai': {},
      }).gemini as Json,
      'vercel-ai': loop({
        'openai-chat': '',
        'openai-responses': '',
        'anthropic-messages': {},
        gemini: {},
        'vercel-ai': { type: 'error-text', value: 'No such place' },
      })['vercel-ai'] as Json,
    },
    // Formats without a place for it say it in words.
    read: (payload) => JSON.stringify(toolResult(payload)).replace('Error: ', '').replace('true', 'false'),
  },
  {
    name: 'tool result with an image',
    asks: loop({
      'openai-chat': [{ type: 'text', text: 'Seen' }],
      'openai-responses': [
        { type: 'input_text', text: 'Seen' },
        { type: 'input_image', image_url: `data:image/png;base64,${png}` },
      ],
      'anthropic-messages': {
        content: [
          { type: 'text', text: 'Seen' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
        ],
      },
      gemini: { response: { output: 'Seen' }, parts: [{ inlineData: { mimeType: 'image/png', data: png } }] },
      'vercel-ai': {
        type: 'content',
        value: [
          { type: 'text', text: 'Seen' },
          { type: 'file-data', mediaType: 'image/png', data: png },
        ],
      },
    }),
    read: (payload) => blocksOf(payload, 'image').map((block) => (block as Json).base64),
  },
  {
    name: 'call of a custom tool',
    asks: {
      'openai-responses': {
        tools: [
          {
            type: 'custom',
            name: 'sql',
            description: 'Runs SQL',
            format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
          },
        ],
        input: [
          question,
          { type: 'custom_tool_call', call_id: 'call_1', name: 'sql', input: 'select 1' },
          { type: 'custom_tool_call_output', call_id: 'call_1', output: '1' },
        ],
      },
      'openai-chat': { tools: [{ type: 'custom', custom: { name: 'sql', description: 'Runs SQL' } }] },
    },
  },
  {
    name: 'call whose arguments are no JSON',
    asks: {
      'openai-chat': {
        messages: [
          question,
          {
            role: 'assistant',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"city":"Bo' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
        ],
      },
      'openai-responses': {
        input: [
          question,
          { type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"city":"Bo' },
          { type: 'function_call_output', call_id: 'call_1', output: 'Rain' },
        ],
      },
    },
    read: (payload) => JSON.stringify(toolCalls(payload)).includes('Bo'),
  },
  {
    name: 'refusal of an earlier turn',
    asks: {
      'openai-chat': {
        messages: [question, { role: 'assistant', content: null, refusal: 'I cannot.' }, question],
      },
      'openai-responses': {
        input: [
          question,
          { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'I cannot.' }] },
          question,
        ],
      },
    },
    read: (payload) => JSON.stringify(sayings(payload, 'assistant')).includes('I cannot.'),
  },
]
