import type { Call } from '../../call.ts'
import type { EncodeOptions, Provider, UpstreamRequest } from '../../provider.ts'
import { parseExactBytes, withinDepth } from '../json-value.ts'
import { decodeMessagesReply } from './decode-reply.ts'
import { MessagesStreamDecoder } from './decode-stream.ts'
import { encodeMessagesRequest } from './encode-request.ts'
import { classifyMessagesFailure } from './errors.ts'
import { markPromptCache } from './mark-prompt-cache.ts'
import { MessagesStreamReader } from './read-stream.ts'
import { spliceMessagesRequest } from './splice-request.ts'
import { readMessagesUsage } from './usage.ts'

/** Version of the API where the caller names none. */
export const anthropicVersionDefault = '2023-06-01'
/** Tokens of a subscription log in as bearers, keys by their own header. */
const bearerPrefix = 'sk-ant-oat'

/** What tells one provider of the Messages format from another. */
export interface MessagesProviderOptions {
  readonly id: string
  readonly baseUrl: string | undefined
  readonly telemetryName: string
  readonly vendor: string | undefined
}

/** A provider that speaks the Messages format. */
export function anthropicMessagesProvider(options: MessagesProviderOptions): Provider {
  return {
    ...options,
    format: 'anthropic-messages',
    encodeRequest,
    authenticate,
    decodeReply: (json, raw) => decodeMessagesReply(raw === undefined ? json : parseExactBytes(raw, json)),
    readUsage: readMessagesUsage,
    createDecoder: () => new MessagesStreamDecoder(),
    createReader: () => new MessagesStreamReader(),
    classifyFailure: classifyMessagesFailure,
  }
}

function authenticate(credential: string | undefined): Record<string, string> {
  if (credential === undefined) return {}
  if (credential.startsWith(bearerPrefix)) return { authorization: `Bearer ${credential}` }
  return { 'x-api-key': credential }
}

/** The request with marks for the provider's own prompt cache, where the plan asks for them. */
function encodeRequest(call: Call, options: EncodeOptions): UpstreamRequest {
  const request = encodeBody(call, options)
  const ttl = options.patch?.promptCache
  return ttl === undefined ? request : { ...request, body: markPromptCache(request.body, ttl) }
}

/** Version and betas belong to the body: they travel with it, or not at all. */
function encodeBody(call: Call, options: EncodeOptions): UpstreamRequest {
  const isSame = call.format === 'anthropic-messages'
  const { 'anthropic-version': version, 'anthropic-beta': beta } = isSame ? options.headers : {}
  const head = {
    method: 'POST',
    path: '/v1/messages',
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'anthropic-version': version ?? anthropicVersionDefault,
      ...(beta !== undefined && { 'anthropic-beta': beta }),
    },
    addedUsage: false,
  } as const
  if (isSame) return { ...head, ...spliceMessagesRequest(call, options), responseDropped: [], identity: true }
  const { body, ...losses } = encodeMessagesRequest(call.payload(), call.stream, options)
  return { ...head, ...losses, body: withinDepth(() => Buffer.from(JSON.stringify(body))), identity: false }
}
