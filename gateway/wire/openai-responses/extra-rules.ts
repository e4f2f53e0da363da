import { isObject } from '../json-value.ts'
import type { ExtraRules } from '../lose-extra.ts'

/** Stored things of OpenAI, which only it can continue. */
const storedMembers = ['previous_response_id', 'conversation'] as const

/**
 * Members of Responses that other formats have not. What is stored at the provider, runs there or changes the answer
 * is meaning; a wish for the default asks for nothing.
 */
export const responsesExtraRules: ExtraRules = {
  meaning: new Set([
    'tools[]',
    'tool_choice',
    'text.format',
    'prompt',
    'background',
    'top_logprobs',
    'include',
    ...storedMembers,
  ]),
  isDefault: (name, value) =>
    value === false ||
    (name === 'top_logprobs' && value === 0) ||
    // It counts calls of tools that run at the provider, and those are refused.
    name === 'max_tool_calls' ||
    (name === 'truncation' && value === 'disabled') ||
    (name === 'service_tier' && (value === 'auto' || value === 'default')) ||
    (name === 'text.verbosity' && value === 'medium') ||
    (name === 'tools[].format' && isObject(value) && value.type === 'text'),
}
