import type { Json } from './feature-row.ts'

const usageDetails = { cached_tokens: 3, cache_write_tokens: 2, audio_tokens: 1 }

/** Answers that say everything that their format can, by provider. */
export const answers: Readonly<Record<string, Json>> = {
  'openai in openai-chat': {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-5.5',
    service_tier: 'priority',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        logprobs: { content: [{ token: 'a', logprob: -1 }] },
        message: {
          role: 'assistant',
          content: 'Hello',
          refusal: 'Not that',
          reasoning_content: 'Hm.',
          annotations: [{ type: 'url_citation', url_citation: { url: 'https://x.test', title: 'x' } }],
          audio: { id: 'audio_1', data: 'UklG', transcript: 'Hello' },
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"a":1}' } }],
        },
      },
    ],
    usage: {
      prompt_tokens: 20,
      completion_tokens: 30,
      total_tokens: 50,
      prompt_tokens_details: usageDetails,
      completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 4 },
    },
  },
  'openrouter in openai-chat': {
    id: 'gen-1',
    model: 'anthropic/claude',
    choices: [
      {
        finish_reason: 'stop',
        native_finish_reason: 'end_turn',
        message: {
          content: 'Hello',
          reasoning: 'Hm.',
          reasoning_details: [
            {
              type: 'reasoning.text',
              text: 'Hm.',
              signature: 'c2ln',
              format: 'anthropic-claude-v1',
              index: 0,
            },
          ],
          images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
        },
      },
    ],
    citations: ['https://x.test'],
    usage: { prompt_tokens: 2, completion_tokens: 3, cost: 0.001 },
  },
  'openai in openai-responses': {
    id: 'resp_1',
    object: 'response',
    model: 'gpt-5.5',
    status: 'completed',
    output: [
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'ENC',
      },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          {
            type: 'output_text',
            text: 'Hello',
            annotations: [{ type: 'url_citation', url: 'https://x.test' }],
            logprobs: [{ token: 'a', logprob: -1 }],
          },
          { type: 'refusal', refusal: 'Not that' },
        ],
      },
      {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: 'find',
        arguments: '{"a":1}',
        status: 'completed',
      },
      { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_2', name: 'sql', input: 'select 1' },
      { type: 'image_generation_call', id: 'ig_1', result: 'AA==' },
    ],
    usage: {
      input_tokens: 20,
      output_tokens: 30,
      total_tokens: 50,
      input_tokens_details: { cached_tokens: 3 },
      output_tokens_details: { reasoning_tokens: 5 },
    },
  },
  'anthropic in anthropic-messages': {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-8',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'ENC' },
      { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'x' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 'srv_1',
        content: [{ type: 'web_search_result', url: 'u' }],
      },
      { type: 'text', text: 'Hello', citations: [{ type: 'char_location', cited_text: 'x' }] },
      { type: 'tool_use', id: 'toolu_1', name: 'find', input: { a: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: 'cyber', explanation: 'Not that' },
    container: { id: 'c_1', expires_at: '2026-01-01' },
    context_management: { applied_edits: [{ type: 'clear_tool_uses_20250919', cleared_tool_uses: 2 }] },
    usage: {
      input_tokens: 20,
      output_tokens: 30,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 9,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 5 },
      output_tokens_details: { thinking_tokens: 6 },
      server_tool_use: { web_search_requests: 2 },
      service_tier: 'priority',
    },
  },
  'gemini in gemini': {
    candidates: [
      {
        index: 0,
        finishReason: 'STOP',
        finishMessage: 'Done',
        content: {
          role: 'model',
          parts: [
            { text: 'Hm.', thought: true },
            { text: 'Hello', thoughtSignature: 'c2ln' },
            { functionCall: { id: 'call_1', name: 'find', args: { a: 1 } }, thoughtSignature: 'c2lo' },
            { inlineData: { mimeType: 'image/png', data: 'AA==' } },
            { executableCode: { language: 'PYTHON', code: '1' } },
            { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
          ],
        },
        citationMetadata: { citationSources: [{ uri: 'u' }] },
        groundingMetadata: { webSearchQueries: ['x'] },
        urlContextMetadata: { urlMetadata: [{ retrievedUrl: 'u' }] },
        logprobsResult: { chosenCandidates: [{ token: 'a' }] },
        safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW' }],
      },
    ],
    promptFeedback: { safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW' }] },
    usageMetadata: {
      promptTokenCount: 20,
      candidatesTokenCount: 25,
      thoughtsTokenCount: 5,
      cachedContentTokenCount: 3,
      toolUsePromptTokenCount: 2,
      totalTokenCount: 52,
    },
    modelVersion: 'gemini-3-pro',
    responseId: 'r1',
  },
  'bedrock in bedrock-converse': {
    output: {
      message: {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
          { text: 'Hello' },
          { toolUse: { toolUseId: 't1', name: 'find', input: { a: 1 } } },
          { citationsContent: { content: [{ text: 'Quoted' }], citations: [{ title: 'x' }] } },
        ],
      },
    },
    stopReason: 'tool_use',
    usage: {
      inputTokens: 20,
      outputTokens: 30,
      totalTokens: 50,
      cacheReadInputTokens: 3,
      cacheWriteInputTokens: 4,
    },
    metrics: { latencyMs: 5 },
    trace: { guardrail: { modelOutput: ['x'] } },
  },
  'cohere in cohere-chat': {
    id: 'c1',
    finish_reason: 'TOOL_CALL',
    message: {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'Hello' },
      ],
      tool_plan: 'I look.',
      tool_calls: [{ id: 't1', type: 'function', function: { name: 'find', arguments: '{"a":1}' } }],
      citations: [{ start: 0, end: 1, text: 'H' }],
    },
    logprobs: [{ token_ids: [1], text: 'a', logprobs: [-1] }],
    usage: {
      billed_units: { input_tokens: 10, output_tokens: 20 },
      tokens: { input_tokens: 12, output_tokens: 20 },
    },
  },
}

const sse = (...events: readonly unknown[]): readonly Json[] => events as readonly Json[]
const chunk = (delta: Json, rest: Json = {}): Json => ({
  id: 'c1',
  model: 'm',
  choices: [{ index: 0, delta, ...rest }],
})
const block = (index: number, content_block: Json, delta: Json): readonly Json[] => [
  { type: 'content_block_start', index, content_block },
  { type: 'content_block_delta', index, delta },
  { type: 'content_block_stop', index },
]

/** Streams that say everything that their format can, event by event. */
export const streams: Readonly<Record<string, readonly Json[]>> = {
  'openai in openai-chat': sse(
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'Hm.' }),
    chunk({ content: 'Hello' }, { logprobs: { content: [{ token: 'a', logprob: -1 }] } }),
    chunk({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://x.test' } }] }),
    chunk({ audio: { id: 'audio_1', data: 'UklG' } }),
    chunk({ images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] }),
    chunk({ refusal: 'Not that' }),
    chunk({
      tool_calls: [
        { index: 0, id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"a"' } },
      ],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
    chunk({}, { finish_reason: 'tool_calls' }),
    { ...chunk({}), citations: ['https://x.test'], search_results: [{ url: 'https://x.test' }] },
    { id: 'c1', model: 'm', choices: [], usage: { prompt_tokens: 20, completion_tokens: 30 } },
  ),
  'openai in openai-responses': sse(
    { type: 'response.created', response: { id: 'resp_1', model: 'gpt-5.5', output: [] } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { type: 'reasoning', id: 'rs_1', summary: [] },
    },
    {
      type: 'response.reasoning_summary_text.delta',
      output_index: 0,
      summary_index: 0,
      item_id: 'rs_1',
      delta: 'Hm.',
    },
    {
      type: 'response.output_item.done',
      output_index: 0,
      item: {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'ENC',
      },
    },
    { type: 'response.output_item.added', output_index: 1, item: { type: 'web_search_call', id: 'ws_1' } },
    {
      type: 'response.output_item.added',
      output_index: 2,
      item: { type: 'message', id: 'msg_1', content: [] },
    },
    {
      type: 'response.content_part.added',
      output_index: 2,
      content_index: 0,
      part: { type: 'output_text', text: '' },
    },
    { type: 'response.output_text.delta', output_index: 2, content_index: 0, delta: 'Hello' },
    {
      type: 'response.output_text.annotation.added',
      output_index: 2,
      content_index: 0,
      annotation: { type: 'url_citation', url: 'https://x.test' },
    },
    { type: 'response.output_text.done', output_index: 2, content_index: 0, text: 'Hello' },
    {
      type: 'response.output_item.done',
      output_index: 2,
      item: { type: 'message', content: [] },
    },
    {
      type: 'response.output_item.added',
      output_index: 3,
      item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'find', arguments: '' },
    },
    { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{"a":1}' },
    {
      type: 'response.output_item.done',
      output_index: 3,
      item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'find', status: 'completed' },
    },
    {
      type: 'response.completed',
      response: { id: 'resp_1', status: 'completed', usage: { input_tokens: 20, output_tokens: 30 } },
    },
  ),
  'anthropic in anthropic-messages': sse(
    {
      type: 'message_start',
      message: { id: 'msg_1', model: 'claude-opus-4-8', usage: { input_tokens: 20, output_tokens: 1 } },
    },
    ...block(0, { type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'Hm.' }),
    ...block(1, { type: 'redacted_thinking', data: 'ENC' }, {}),
    ...block(
      2,
      { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} },
      { type: 'input_json_delta', partial_json: '{}' },
    ),
    ...block(3, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' }),
    ...block(4, { type: 'text', text: '' }, { type: 'citations_delta', citation: { cited_text: 'x' } }),
    ...block(
      5,
      { type: 'tool_use', id: 'toolu_1', name: 'find', input: {} },
      { type: 'input_json_delta', partial_json: '{"a":1}' },
    ),
    {
      type: 'message_delta',
      delta: {
        stop_reason: 'tool_use',
        stop_details: { category: 'cyber', explanation: 'Not that' },
        container: { id: 'c_1' },
      },
      context_management: { applied_edits: [{ type: 'clear_tool_uses_20250919' }] },
      usage: { output_tokens: 30 },
    },
    { type: 'message_stop' },
  ),
  'gemini in gemini': sse(
    {
      candidates: [{ content: { parts: [{ text: 'Hm.', thought: true }] } }],
      responseId: 'r1',
      modelVersion: 'g',
    },
    { candidates: [{ content: { parts: [{ text: 'Hello', thoughtSignature: 'c2ln' }] } }] },
    {
      candidates: [
        { content: { parts: [{ functionCall: { id: 'call_1', name: 'find', args: { a: 1 } } }] } },
      ],
    },
    { candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] } }] },
    { candidates: [{ groundingMetadata: { webSearchQueries: ['x'] } }] },
    {
      candidates: [{ finishReason: 'STOP', citationMetadata: { citationSources: [{ uri: 'u' }] } }],
      usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 25 },
    },
  ),
  'cohere in cohere-chat': sse(
    { type: 'message-start', id: 'c1' },
    { type: 'content-start', delta: { message: { content: { type: 'thinking', thinking: 'H' } } } },
    { type: 'content-delta', delta: { message: { content: { thinking: 'm.' } } } },
    { type: 'content-end' },
    { type: 'content-start', delta: { message: { content: { type: 'text', text: 'H' } } } },
    {
      type: 'content-delta',
      delta: { message: { content: { text: 'ello' } } },
      logprobs: { text: 'H', logprobs: [-1] },
    },
    { type: 'content-end' },
    { type: 'citation-start', delta: { message: { citations: { start: 0, end: 1, text: 'H' } } } },
    { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I look.' } } },
    {
      type: 'tool-call-start',
      delta: { message: { tool_calls: { id: 't1', function: { name: 'find', arguments: '' } } } },
    },
    { type: 'tool-call-delta', delta: { message: { tool_calls: { function: { arguments: '{"a":1}' } } } } },
    { type: 'tool-call-end' },
    {
      type: 'message-end',
      delta: { finish_reason: 'TOOL_CALL', usage: { billed_units: { input_tokens: 10, output_tokens: 20 } } },
    },
  ),
}
