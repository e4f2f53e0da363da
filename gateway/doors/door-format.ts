import type { IncomingHttpHeaders } from 'node:http'
import type { WireFormat } from '../call.ts'

/**
 * Whose client stands at a door that several vendors have: `anthropic-version` or a path of Anthropic's mean theirs,
 * anything else OpenAI's.
 */
export function doorFormat(path: string, headers: IncomingHttpHeaders): WireFormat {
  if (headers['anthropic-version'] !== undefined || path.startsWith('/anthropic/'))
    return 'anthropic-messages'
  return /^\/(api\/)?v1\/messages\b/.test(path) ? 'anthropic-messages' : 'openai-chat'
}
