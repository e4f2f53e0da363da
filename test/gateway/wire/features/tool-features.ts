import { choice, type Feature, fn, offered, question, schema, tools, withTools } from './feature-row.ts'

/** Tools and which of them may be called. */
export const toolFeatures: readonly Feature[] = [
  {
    name: 'tool definition',
    asks: withTools({
      'openai-chat': {},
      'openai-responses': {},
      'anthropic-messages': {},
      gemini: {},
      'vercel-ai': {},
    }),
    read: offered,
  },
  {
    name: 'strict tool',
    asks: {
      'openai-chat': { tools: [{ type: 'function', function: { ...fn, strict: true } }] },
      'openai-responses': { tools: [{ type: 'function', ...fn, strict: true }] },
      'anthropic-messages': {
        tools: [
          { name: 'find', description: 'Finds it', input_schema: schema, strict: true, defer_loading: true },
        ],
      },
      'vercel-ai': {
        tools: [
          { type: 'function', name: 'find', description: 'Finds it', inputSchema: schema, strict: true },
        ],
      },
    },
    read: ({ tools: all }) => all.map(({ strict }) => strict === true),
  },
  {
    name: 'tool choice auto',
    asks: withTools({
      'openai-chat': { tool_choice: 'auto' },
      'openai-responses': { tool_choice: 'auto' },
      'anthropic-messages': { tool_choice: { type: 'auto' } },
      gemini: choice('AUTO'),
      'vercel-ai': { toolChoice: { type: 'auto' } },
    }),
    read: ({ toolChoice }) => toolChoice,
  },
  {
    name: 'tool choice none',
    asks: withTools({
      'openai-chat': { tool_choice: 'none' },
      'openai-responses': { tool_choice: 'none' },
      'anthropic-messages': { tool_choice: { type: 'none' } },
      gemini: choice('NONE'),
      'vercel-ai': { toolChoice: { type: 'none' } },
    }),
    read: ({ toolChoice }) => toolChoice,
  },
  {
    name: 'tool choice required',
    asks: withTools({
      'openai-chat': { tool_choice: 'required' },
      'openai-responses': { tool_choice: 'required' },
      'anthropic-messages': { tool_choice: { type: 'any' } },
      gemini: choice('ANY'),
      'vercel-ai': { toolChoice: { type: 'required' } },
    }),
    read: ({ toolChoice }) => toolChoice,
  },
  {
    name: 'tool choice by name',
    asks: withTools({
      'openai-chat': { tool_choice: { type: 'function', function: { name: 'find' } } },
      'openai-responses': { tool_choice: { type: 'function', name: 'find' } },
      'anthropic-messages': { tool_choice: { type: 'tool', name: 'find' } },
      gemini: choice('ANY', ['find']),
      'vercel-ai': { toolChoice: { type: 'tool', toolName: 'find' } },
    }),
    read: ({ toolChoice }) => toolChoice,
  },
  {
    name: 'allowed tools',
    asks: {
      'openai-chat': {
        tools: [...tools['openai-chat'], { type: 'function', function: { name: 'other' } }],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'find' } }] },
        },
      },
      'openai-responses': {
        tools: [
          ...tools['openai-responses'],
          { type: 'function', name: 'other', parameters: {}, strict: false },
        ],
        tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'find' }] },
      },
      gemini: {
        tools: [{ functionDeclarations: ['find', 'more', 'other'].map((name) => ({ name })) }],
        ...choice('ANY', ['find', 'more']),
      },
    },
  },
  {
    name: 'one tool call at a time',
    asks: withTools({
      'openai-chat': { parallel_tool_calls: false },
      'openai-responses': { parallel_tool_calls: false },
      'anthropic-messages': { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      'vercel-ai': { providerOptions: { openai: { parallelToolCalls: false } } },
    }),
    read: ({ parallelToolCalls }) => parallelToolCalls,
  },
  {
    name: 'tools that run at the provider',
    asks: {
      'openai-responses': {
        tools: [
          { type: 'file_search', vector_store_ids: ['vs_1'] },
          { type: 'code_interpreter', container: { type: 'auto' } },
        ],
        max_tool_calls: 2,
      },
      'anthropic-messages': {
        tools: [
          { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 3 },
          { type: 'code_execution_20250825', name: 'code_execution' },
        ],
        mcp_servers: [{ type: 'url', url: 'https://x.test', name: 'x' }],
      },
      gemini: { tools: [{ googleMaps: {} }, { codeExecution: {} }, { urlContext: {} }] },
      'vercel-ai': {
        tools: [{ type: 'provider', id: 'openai.file_search', name: 'find', args: { size: 'low' } }],
      },
    },
  },
  {
    name: 'search of the web',
    asks: {
      'openai-chat': {
        web_search_options: {
          search_context_size: 'low',
          user_location: { type: 'approximate', approximate: { city: 'Bern', country: 'CH' } },
        },
      },
      'openai-responses': {
        tools: [
          {
            type: 'web_search',
            filters: { allowed_domains: ['x.test'] },
            search_context_size: 'high',
            user_location: { type: 'approximate', region: 'Bern', timezone: 'Europe/Zurich' },
          },
        ],
        max_tool_calls: 2,
      },
      'anthropic-messages': {
        tools: [
          {
            type: 'web_search_20250305',
            name: 'web_search',
            max_uses: 3,
            blocked_domains: ['y.test'],
            user_location: { type: 'approximate', country: 'CH' },
          },
        ],
      },
      gemini: { tools: [{ googleSearch: { timeRangeFilter: { startTime: '2026-01-01T00:00:00Z' } } }] },
      'vercel-ai': {
        tools: [
          {
            type: 'provider',
            id: 'anthropic.web_search_20250305',
            name: 'search',
            args: { maxUses: 2, allowedDomains: ['x.test'] },
          },
        ],
      },
    },
    read: ({ webSearch }) => webSearch !== undefined,
  },
  {
    name: 'what a tool of the provider did on an earlier turn',
    asks: {
      'openai-responses': {
        input: [
          question,
          {
            type: 'web_search_call',
            id: 'ws_1',
            status: 'completed',
            action: { type: 'search', query: 'x' },
          },
          question,
        ],
      },
      'anthropic-messages': {
        messages: [
          question,
          {
            role: 'assistant',
            content: [
              { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'x' } },
              { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [] },
              { type: 'text', text: 'Found.', citations: [{ type: 'char_location', cited_text: 'x' }] },
            ],
          },
          question,
        ],
      },
      gemini: {
        contents: [
          { role: 'user', parts: [{ text: 'q' }] },
          {
            role: 'model',
            parts: [
              { executableCode: { language: 'PYTHON', code: '1' } },
              { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
            ],
          },
          { role: 'user', parts: [{ text: 'r' }] },
        ],
      },
    },
  },
]
