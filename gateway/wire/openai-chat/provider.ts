import type { Call } from '../../call.ts'
import type { EncodeOptions, Provider, UpstreamRequest } from '../../provider.ts'
import { parseExactBytes, withinDepth } from '../json-value.ts'
import { decodeChatReply } from './decode-reply.ts'
import { ChatStreamDecoder } from './decode-stream.ts'
import { encodeChatRequest } from './encode-request.ts'
import { classifyChatFailure } from './errors.ts'
import type { ChatQuirks } from './quirks.ts'
import { ChatStreamReader } from './read-stream.ts'
import { spliceChatRequest } from './splice-request.ts'
import { readChatUsage } from './usage.ts'

/** What tells one provider of the Chat Completions format from another. */
export interface ChatProviderOptions {
  readonly id: string
  readonly baseUrl: string | undefined
  readonly telemetryName: string
  readonly vendor: string | undefined
  readonly quirks: ChatQuirks
}

/** A provider that speaks the Chat Completions format. */
export function openAiChatProvider(options: ChatProviderOptions): Provider {
  const { quirks, ...identity } = options
  return {
    ...identity,
    format: 'openai-chat',
    encodeRequest: (call, encoding) => encodeRequest(call, encoding, quirks),
    authenticate: (credential) => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    decodeReply: (json, raw) => decodeChatReply(raw === undefined ? json : parseExactBytes(raw, json)),
    readUsage: readChatUsage,
    createDecoder: () => new ChatStreamDecoder(quirks),
    createReader: ({ addedUsage }) => new ChatStreamReader(quirks, addedUsage),
    classifyFailure: classifyChatFailure,
  }
}

function encodeRequest(call: Call, options: EncodeOptions, quirks: ChatQuirks): UpstreamRequest {
  const head = {
    method: 'POST',
    path: '/chat/completions',
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
    },
  } as const
  if (call.format === 'openai-chat') {
    return { ...head, ...spliceChatRequest(call, options, quirks), responseDropped: [], identity: true }
  }
  const { body, ...losses } = encodeChatRequest(call.payload(), call.stream, options, quirks)
  return {
    ...head,
    ...losses,
    body: withinDepth(() => Buffer.from(JSON.stringify(body))),
    addedUsage: false,
    identity: false,
  }
}
