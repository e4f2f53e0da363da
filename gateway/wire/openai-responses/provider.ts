import type { Call } from '../../call.ts'
import type { EncodeOptions, Provider, UpstreamRequest } from '../../provider.ts'
import { asObject, parseExactBytes, withinDepth } from '../json-value.ts'
import type { ChatQuirks } from '../openai-chat/quirks.ts'
import { decodeResponsesReply } from './decode-reply.ts'
import { ResponsesStreamDecoder } from './decode-stream.ts'
import { encodeResponsesRequest } from './encode-request.ts'
import { classifyResponsesFailure } from './errors.ts'
import { ResponsesStreamReader } from './read-stream.ts'
import { spliceResponsesRequest } from './splice-request.ts'
import { storedIdsOf } from './stored-ids.ts'
import { readResponsesUsage } from './usage.ts'

/** What tells one provider of the Responses format from another. */
export interface ResponsesProviderOptions {
  readonly id: string
  readonly baseUrl: string | undefined
  readonly telemetryName: string
  readonly vendor: string | undefined
  /** What is known of its models is the same whatever format they are asked in. */
  readonly quirks: ChatQuirks
}

/** A provider that speaks the Responses format. */
export function openAiResponsesProvider(options: ResponsesProviderOptions): Provider {
  const { quirks, ...identity } = options
  return {
    ...identity,
    format: 'openai-responses',
    encodeRequest: (call, encoding) => encodeRequest(call, encoding, quirks),
    authenticate: (credential) => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    decodeReply: (json, raw) => decodeResponsesReply(raw === undefined ? json : parseExactBytes(raw, json)),
    readUsage: readResponsesUsage,
    readStoredIds: (json) => storedIdsOf(asObject(json)),
    createDecoder: () => new ResponsesStreamDecoder(),
    createReader: () => new ResponsesStreamReader(),
    classifyFailure: classifyResponsesFailure,
  }
}

function encodeRequest(call: Call, options: EncodeOptions, quirks: ChatQuirks): UpstreamRequest {
  const head = {
    method: 'POST',
    path: '/responses',
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
    },
    addedUsage: false,
  } as const
  if (call.format === 'openai-responses') {
    return { ...head, ...spliceResponsesRequest(call, options, quirks), responseDropped: [], identity: true }
  }
  const { body, ...losses } = encodeResponsesRequest(call.payload(), call.stream, options, quirks)
  return {
    ...head,
    ...losses,
    body: withinDepth(() => Buffer.from(JSON.stringify(body))),
    identity: false,
  }
}
