/**
 * Where servers that speak the Chat Completions format differ. Data, so that a new provider is a few lines.
 */
export interface ChatQuirks {
  /** Member that limits the answer, where the caller named none. */
  readonly maxTokensMember: 'max_completion_tokens' | 'max_tokens'
  /** Member that names the end user. */
  readonly userMember: 'safety_identifier' | 'user'
  /** Streams may end without `[DONE]` once a finish reason has come (Perplexity). */
  readonly endsWithoutDone: boolean
  /** Several texts of a message are sent as one, for servers that take no lists where OpenAI does. */
  readonly joinsTexts: boolean
  /** Answers bring the model's thinking, and it is taken back with the next turn (DeepSeek insists on it). */
  readonly showsReasoning: boolean
  readonly takesTopK: boolean
  /** Members that the server knows under another name: `seed` → `random_seed`. */
  readonly renames?: Readonly<Record<string, string>>
  /** Members that the server answers with an error; they are left out and named. */
  readonly refuses?: readonly string[]
  /** False where `stream_options` is refused; such servers send the usage unasked. */
  readonly takesStreamOptions?: false
  /** What `tool_choice: "required"` is called. */
  readonly requiredWord?: 'any'
  /** How reasoning is asked for, where not by `reasoning_effort`: `reasoning.effort`, or only on and off. */
  readonly reasoningAs?: 'object' | 'switch'
  /** What is known of models, first match wins; nothing is assumed of a model that is not here. */
  readonly models: readonly ChatModelTraits[]
}
export interface ChatModelTraits {
  readonly pattern: RegExp
  /** The least reasoning that can be asked for; undefined for a model that does not reason. */
  readonly lowestLevel: 'none' | 'minimal' | 'low' | undefined
}

/** OpenAI itself. Source: API reference of Chat Completions, guide to reasoning models. */
export const openAiQuirks: ChatQuirks = {
  maxTokensMember: 'max_completion_tokens',
  userMember: 'safety_identifier',
  endsWithoutDone: false,
  joinsTexts: false,
  showsReasoning: false,
  takesTopK: false,
  models: [
    { pattern: /^(ft:)?(gpt-3|gpt-4|chatgpt-)|-chat\b/, lowestLevel: undefined },
    { pattern: /^gpt-5(-|$)/, lowestLevel: 'minimal' },
    { pattern: /^o[1-9]/, lowestLevel: 'low' },
    { pattern: /^gpt-/, lowestLevel: 'none' },
  ],
}

/** Any other server: what most of them take. */
export const compatibleQuirks: ChatQuirks = {
  maxTokensMember: 'max_tokens',
  userMember: 'user',
  endsWithoutDone: true,
  joinsTexts: true,
  showsReasoning: true,
  takesTopK: false,
  models: [],
}
