import { Refusal } from '@signalbox/sdk/contract'
import type { JsonObject } from '../json-value.ts'
import { readFields } from './read-fields.ts'

/** What the URL of a Gemini request says; its body names neither the model nor whether it wants a stream. */
export interface RequestTarget {
  readonly version: string
  readonly model: string
  /** `generateContent`, `streamGenerateContent`, `countTokens`. */
  readonly method: string
  /** The stream is wanted as server-sent events; else as one JSON array. */
  readonly asEvents: boolean
}

/** Versions of the API under which callers ask. */
export const apiVersions = ['v1', 'v1beta', 'v1alpha'] as const
const pattern = /^(?:\/gemini)?\/(v1(?:beta|alpha)?)\/models\/(.+):([A-Za-z]+)$/

/** Reads `/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse`. Throws a Refusal `route_not_found`. */
export function readRequestTarget(url: string): RequestTarget {
  const at = url.indexOf('?')
  const [, version, model, method] = pattern.exec(at === -1 ? url : url.slice(0, at)) ?? []
  if (version === undefined || model === undefined || method === undefined) {
    throw new Refusal('route_not_found')
  }
  const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1))
  const alt = query.get('alt') ?? query.get('$alt')
  return { version, model: decodeModel(model), method, asEvents: alt === 'sse' }
}

function decodeModel(model: string): string {
  try {
    return decodeURIComponent(model)
  } catch {
    throw new Refusal('invalid_request', {
      message: 'The model in the path is not a valid URL.',
      param: 'model',
    })
  }
}

/** The request whose tokens a `countTokens` wants to know: a whole one inside it, or its own contents. */
export function countedRequest(json: JsonObject): JsonObject {
  return readFields(readFields(json)?.generateContentRequest) ?? json
}
