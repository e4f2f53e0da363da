import { type Feature, type Json, question, schema, tools } from './feature-row.ts'

/** Everything that is said once for the whole call. */
export const parameters: readonly Feature[] = [
  {
    name: 'reasoning by level',
    asks: {
      'openai-chat': { reasoning_effort: 'high' },
      'openai-responses': { reasoning: { effort: 'high', summary: 'auto' } },
      'anthropic-messages': { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      gemini: { generationConfig: { thinkingConfig: { thinkingLevel: 'HIGH', includeThoughts: true } } },
      'vercel-ai': { reasoning: 'high' },
    },
  },
  {
    name: 'reasoning by budget',
    asks: {
      'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2048 } },
      gemini: { generationConfig: { thinkingConfig: { thinkingBudget: 2048 } } },
      'vercel-ai': { providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2048 } } } },
    },
  },
  {
    name: 'no reasoning',
    asks: {
      'openai-chat': { reasoning_effort: 'none' },
      'openai-responses': { reasoning: { effort: 'none' } },
      gemini: { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
      'vercel-ai': { reasoning: 'none' },
    },
  },
  {
    name: 'sampling',
    asks: {
      'openai-chat': {
        temperature: 0.5,
        top_p: 0.9,
        seed: 7,
        frequency_penalty: 0.5,
        presence_penalty: 0.25,
        logit_bias: { 50256: -100 },
      },
      'openai-responses': { temperature: 0.5, top_p: 0.9 },
      'anthropic-messages': { temperature: 0.5, top_p: 0.9, top_k: 40 },
      gemini: {
        generationConfig: {
          temperature: 0.5,
          topP: 0.9,
          topK: 40,
          seed: 7,
          frequencyPenalty: 0.5,
          presencePenalty: 0.25,
        },
      },
      'vercel-ai': {
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        seed: 7,
        frequencyPenalty: 0.5,
        presencePenalty: 0.25,
      },
    },
  },
  {
    name: 'limit of the output',
    asks: {
      'openai-chat': { max_completion_tokens: 500 },
      'openai-responses': { max_output_tokens: 500 },
      'anthropic-messages': { max_tokens: 500 },
      gemini: { generationConfig: { maxOutputTokens: 500 } },
      'vercel-ai': { maxOutputTokens: 500 },
    },
    read: ({ maxOutputTokens }) => maxOutputTokens,
  },
  {
    name: 'stop sequences',
    asks: {
      'openai-chat': { stop: ['END', 'STOP'] },
      'anthropic-messages': { stop_sequences: ['END', 'STOP'] },
      gemini: { generationConfig: { stopSequences: ['END', 'STOP'] } },
      'vercel-ai': { stopSequences: ['END', 'STOP'] },
    },
    read: ({ stop }) => stop,
  },
  {
    name: 'several answers',
    asks: { 'openai-chat': { n: 2 }, gemini: { generationConfig: { candidateCount: 2 } } },
  },
  {
    name: 'log probabilities',
    asks: {
      'openai-chat': { logprobs: true, top_logprobs: 3 },
      'openai-responses': { include: ['message.output_text.logprobs'], top_logprobs: 3 },
      gemini: { generationConfig: { responseLogprobs: true, logprobs: 3 } },
    },
  },
  {
    name: 'structured output',
    asks: {
      'openai-chat': {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'place', description: 'A place', schema, strict: true },
        },
      },
      'openai-responses': {
        text: {
          format: { type: 'json_schema', name: 'place', description: 'A place', schema, strict: true },
        },
      },
      'anthropic-messages': { output_config: { format: { type: 'json_schema', schema } } },
      gemini: { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } },
      'vercel-ai': { responseFormat: { type: 'json', schema, name: 'place', description: 'A place' } },
    },
    read: ({ output }) => output?.type === 'jsonSchema' && (output.schema as Json).properties,
  },
  {
    name: 'any JSON',
    asks: {
      'openai-chat': { response_format: { type: 'json_object' } },
      'openai-responses': { text: { format: { type: 'json_object' } } },
      gemini: { generationConfig: { responseMimeType: 'application/json' } },
      'vercel-ai': { responseFormat: { type: 'json' } },
    },
    read: ({ output }) => output,
  },
  {
    name: 'verbosity',
    asks: { 'openai-chat': { verbosity: 'low' }, 'openai-responses': { text: { verbosity: 'low' } } },
  },
  {
    name: 'marks for the prompt cache',
    asks: {
      'openai-chat': {
        prompt_cache_key: 'k',
        prompt_cache_retention: '24h',
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'q', cache_control: { type: 'ephemeral' } }] },
        ],
      },
      'openai-responses': { prompt_cache_key: 'k', prompt_cache_retention: '24h' },
      'anthropic-messages': {
        system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'q', cache_control: { type: 'ephemeral' } }] },
        ],
        tools: [{ ...tools['anthropic-messages'][0], cache_control: { type: 'ephemeral' } }],
        cache_control: { type: 'ephemeral' },
      },
      gemini: { cachedContent: 'cachedContents/a' },
      'vercel-ai': {
        prompt: [
          {
            role: 'user',
            content: [
              {
                type: 'text',
                text: 'q',
                providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } },
              },
            ],
          },
        ],
      },
    },
  },
  {
    name: 'stored things to go on from',
    asks: {
      'openai-chat': { store: true, metadata: { a: 'b' }, prediction: { type: 'content', content: 'x' } },
      'openai-responses': {
        previous_response_id: 'resp_1',
        store: true,
        background: true,
        metadata: { a: 'b' },
        truncation: 'auto',
        prompt: { id: 'pmpt_1' },
        context_management: [{ type: 'compaction' }],
      },
      'anthropic-messages': {
        container: 'c_1',
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
      },
      gemini: { cachedContent: 'cachedContents/a', labels: { a: 'b' } },
    },
  },
  {
    name: 'conversation of the provider',
    asks: {
      'openai-responses': {
        conversation: { id: 'conv_1' },
        input: [{ type: 'item_reference', id: 'msg_1' }, question],
      },
    },
  },
  {
    name: 'service tier and place',
    asks: {
      'openai-chat': { service_tier: 'priority' },
      'openai-responses': { service_tier: 'priority' },
      'anthropic-messages': { service_tier: 'standard_only', speed: 'fast', inference_geo: 'us' },
      gemini: { serviceTier: 'priority' },
    },
  },
  {
    name: 'safety settings',
    asks: {
      gemini: { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }] },
      'openai-chat': { moderation: { model: 'omni' } },
      'anthropic-messages': { safeguards: { a: true } },
    },
  },
  {
    name: 'end user',
    asks: {
      'openai-chat': { safety_identifier: 'u-1' },
      'openai-responses': { safety_identifier: 'u-1' },
      'anthropic-messages': { metadata: { user_id: 'u-1' } },
      'vercel-ai': { providerOptions: { gateway: { user: 'u-1' } } },
    },
    read: ({ userId }) => userId,
  },
  {
    name: 'members that nobody knows yet',
    asks: {
      'openai-chat': {
        brand_new: { a: 1 },
        messages: [{ role: 'user', content: [{ type: 'text', text: 'q', fresh: 2 }], novel: 3 }],
      },
      'openai-responses': {
        brand_new: { a: 1 },
        input: [{ role: 'user', content: [{ type: 'input_text', text: 'q', fresh: 2 }], novel: 3 }],
        reasoning: { effort: 'low', mode: 'pro' },
      },
      'anthropic-messages': {
        brand_new: { a: 1 },
        messages: [{ role: 'user', content: [{ type: 'text', text: 'q', fresh: 2 }], novel: 3 }],
        thinking: { type: 'adaptive', fresh: 4 },
      },
      gemini: {
        brandNew: { a: 1 },
        contents: [{ role: 'user', parts: [{ text: 'q', fresh: 2 }], novel: 3 }],
        generationConfig: { fresh: 4 },
      },
      'vercel-ai': {
        brandNew: { a: 1 },
        prompt: [{ role: 'user', content: [{ type: 'text', text: 'q', fresh: 2 }], novel: 3 }],
      },
    },
  },
]
