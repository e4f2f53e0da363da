import type { ChatOptions, ChatReply, ChatRequest } from './chat.ts'
import type { DirectReason, DirectRoute, DirectTarget } from './direct.ts'
import { ApiError } from './http.ts'

/** An answer that came past the gateway; `end` notes the call, once. */
export interface DirectAnswer {
  end(usage: ChatReply['usage']): void
}
export interface DirectRequest {
  readonly request: ChatRequest
  readonly stream: boolean
  readonly options: ChatOptions
  readonly target: DirectTarget
  readonly reason: DirectReason
}

type Usage = NonNullable<ChatReply['usage']>
const countsOf = ({ prompt_tokens, completion_tokens }: Usage) => ({
  input: prompt_tokens,
  output: completion_tokens,
})

function metadataOf({ metadata = {} }: ChatOptions): Record<string, string | number | boolean> {
  const entries = Object.entries(metadata).filter((entry): entry is [string, string | number | boolean] => {
    return entry[1] !== undefined
  })
  return Object.fromEntries(entries)
}

/** What a provider said instead of an answer, in its own words. */
async function refusalOf(response: Response, { provider }: DirectTarget): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  let message = `${provider} answered ${response.status}, asked without the gateway.`
  try {
    const said: unknown = Object(Object(JSON.parse(text)).error).message
    if (typeof said === 'string') message = said
  } catch {
    // The status says what there is to say.
  }
  return new ApiError(response.status, { code: 'upstream_error', message })
}

/**
 * Asks a provider itself, and notes the call to be told later.
 * @throws ApiError with the provider's own status, or `upstream_unavailable` where it is not reached either.
 */
export async function askDirectly(
  { request, stream, options, target, reason }: DirectRequest,
  route: DirectRoute,
  doFetch: typeof fetch,
): Promise<{ readonly response: Response; readonly direct: DirectAnswer }> {
  const timeMs = Date.now()
  let isNoted = false
  const note = (status: number, usage?: Usage | null): void => {
    if (isNoted) return
    isNoted = true
    const metadata = metadataOf(options)
    route.note({
      id: crypto.randomUUID(),
      ...{ timeMs, durationMs: Date.now() - timeMs, stream, status, reason },
      ...{ provider: target.provider, model: target.model, requested: request.model ?? '' },
      ...(usage !== undefined && usage !== null && { usage: countsOf(usage) }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
    })
  }
  const streamOptions = stream ? { stream_options: { include_usage: true } } : {}
  let response: Response
  try {
    response = await doFetch(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${target.key}` },
      body: JSON.stringify({ ...request, model: target.model, stream, ...streamOptions }),
      ...(options.signal !== undefined && { signal: options.signal }),
    })
  } catch (cause) {
    note(0)
    if (options.signal?.aborted === true) throw cause
    const message = `Neither the gateway nor ${target.provider} could be reached.`
    throw new ApiError(0, { code: 'upstream_unavailable', message }, cause)
  }
  if (!response.ok) {
    note(response.status)
    throw await refusalOf(response, target)
  }
  return { response, direct: { end: (usage) => note(200, usage) } }
}
