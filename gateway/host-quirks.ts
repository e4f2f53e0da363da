import { type ChatQuirks, compatibleQuirks } from './wire/openai-chat/quirks.ts'

/** What is known of a host beside its address. */
export interface HostTraits {
  /** `gen_ai.provider.name`, where the conventions have a name of its own. */
  readonly telemetryName?: string
  /** What differs from the servers that most hosts run. */
  readonly quirks?: Partial<ChatQuirks>
  /** The host speaks Responses too. */
  readonly speaksResponses?: true
}

const oldLimit = { max_completion_tokens: 'max_tokens' } as const

/**
 * Where hosts differ from what compatible servers take, by id. Sources: the API reference of each host, and the
 * recorded answers of those that are replayed in the tests.
 */
export const hostTraits: Readonly<Record<string, HostTraits>> = {
  // docs.mistral.ai/api: `random_seed`, tool choice `any`; unknown members are refused (422), usage comes unasked.
  mistral: {
    telemetryName: 'mistral_ai',
    quirks: {
      renames: { ...oldLimit, seed: 'random_seed' },
      requiredWord: 'any',
      takesStreamOptions: false,
      refuses: ['user', 'logit_bias', 'store', 'service_tier', 'metadata', 'safety_identifier'],
    },
  },
  // console.groq.com/docs/openai: "not supported" members answer with 400.
  groq: {
    telemetryName: 'groq',
    speaksResponses: true,
    quirks: { maxTokensMember: 'max_completion_tokens', refuses: ['logprobs', 'logit_bias', 'top_logprobs'] },
  },
  // api-docs.deepseek.com: thinking is switched on or off, penalties and logprobs belong to the other mode.
  deepseek: { telemetryName: 'deepseek', quirks: { renames: oldLimit, reasoningAs: 'switch' } },
  // docs.x.ai: Grok 4 and later reason; they refuse penalties and stop.
  xai: {
    telemetryName: 'x_ai',
    speaksResponses: true,
    quirks: { maxTokensMember: 'max_completion_tokens', refuses: ['logit_bias', 'safety_identifier'] },
  },
  openrouter: {
    speaksResponses: true,
    quirks: { reasoningAs: 'object', takesTopK: true, renames: oldLimit },
  },
  // docs.perplexity.ai/api-reference: no tools, usage in every chunk, streams end without a terminator.
  perplexity: {
    telemetryName: 'perplexity',
    quirks: {
      renames: oldLimit,
      takesStreamOptions: false,
      takesTopK: true,
      refuses: ['tools', 'tool_choice', 'parallel_tool_calls', 'seed', 'n', 'logit_bias', 'logprobs', 'user'],
    },
  },
  // docs.ollama.com/api/openai-compatibility: the members of its list, others without effect.
  ollama: {
    speaksResponses: true,
    quirks: { renames: oldLimit, refuses: ['n', 'logit_bias', 'parallel_tool_calls'] },
  },
  vllm: { speaksResponses: true, quirks: { takesTopK: true } },
  llamacpp: { speaksResponses: true, quirks: { takesTopK: true, renames: oldLimit } },
  lmstudio: { speaksResponses: true, quirks: { takesTopK: true, renames: oldLimit } },
  together: { quirks: { takesTopK: true, renames: oldLimit } },
  fireworks: { quirks: { takesTopK: true, renames: oldLimit } },
  // inference-docs.cerebras.ai: penalties and `logit_bias` answer with 400.
  cerebras: {
    quirks: {
      maxTokensMember: 'max_completion_tokens',
      refuses: ['frequency_penalty', 'presence_penalty', 'logit_bias'],
    },
  },
  nvidia: { quirks: { renames: oldLimit, refuses: ['parallel_tool_calls', 'user'] } },
  // platform.moonshot.ai: the tool choice `required` is refused; thinking is a switch.
  moonshotai: { telemetryName: 'moonshot_ai', quirks: { renames: oldLimit, reasoningAs: 'switch' } },
  zai: { quirks: { renames: oldLimit, reasoningAs: 'switch', refuses: ['logit_bias', 'seed', 'n'] } },
}

/** All quirks of a host: its own over those of compatible servers. */
export function quirksOf(id: string): ChatQuirks {
  return { ...compatibleQuirks, ...hostTraits[id]?.quirks }
}
