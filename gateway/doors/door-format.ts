import type { IncomingHttpHeaders } from 'node:http'
import type { WireFormat } from '../call.ts'

/** Paths that only Google has: its versions, `/gemini`, and a method after the model. */
const googlePath = /^\/(?:gemini\/|upload\/|v1(?:alpha|beta)\/)|^\/v1\/models\/.+:\w+$/
/** Paths that others have too. */
const sharedPath = /^\/v1\/(?:models|files)/

/**
 * Whose client stands at a door that several vendors have: a path or header of Google's mean theirs, then
 * `anthropic-version` or a path of Anthropic's theirs, anything else OpenAI's.
 */
export function doorFormat(path: string, headers: IncomingHttpHeaders): WireFormat {
  const isGoogle = googlePath.test(path) || (headers['x-goog-api-key'] !== undefined && sharedPath.test(path))
  if (isGoogle) return 'gemini'
  if (headers['anthropic-version'] !== undefined || path.startsWith('/anthropic/'))
    return 'anthropic-messages'
  if (/^\/v[34]\/ai\b/.test(path)) return 'vercel-ai'
  return /^\/(api\/)?v1\/messages\b/.test(path) ? 'anthropic-messages' : 'openai-chat'
}
