import { readAwsKeys, signAws } from '../credentials/sign-aws.ts'
import type { Provider } from '../provider.ts'
import { decodeMessagesReply } from '../wire/anthropic-messages/decode-reply.ts'
import { readMessagesUsage } from '../wire/anthropic-messages/usage.ts'
import { replyAsMessages } from '../wire/bedrock-converse/as-messages.ts'
import { ConverseStreamDecoder } from '../wire/bedrock-converse/decode-stream.ts'
import { encodeConverseRequest } from '../wire/bedrock-converse/encode-request.ts'
import { classifyConverseFailure } from '../wire/bedrock-converse/errors.ts'
import { EventStreamSplitter } from '../wire/bedrock-converse/event-stream.ts'
import { asString, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { NoReader } from '../wire/no-reader.ts'

/** Region of an address of Bedrock's: `https://bedrock-runtime.eu-central-1.amazonaws.com`. */
const regionOf = (host: string): string | undefined => /^bedrock-runtime[^.]*\.([a-z0-9-]+)\./.exec(host)?.[1]

/**
 * Amazon Bedrock, Converse and ConverseStream. Keys of AWS sign the request; any other credential is an API key of
 * Bedrock's own. The connection names its `region`, or a base URL.
 */
export const provider: Provider = {
  id: 'bedrock',
  format: 'bedrock-converse',
  baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
  telemetryName: 'aws.bedrock',
  vendor: 'bedrock',
  encodeRequest(call, options) {
    const { body, ...losses } = encodeConverseRequest(call.payload(), call.stream, options)
    const verb = call.stream ? 'converse-stream' : 'converse'
    return {
      method: 'POST',
      path: `/model/${encodeURIComponent(options.model)}/${verb}`,
      headers: {
        'content-type': 'application/json',
        accept: call.stream ? 'application/vnd.amazon.eventstream' : 'application/json',
      },
      ...losses,
      body: withinDepth(() => Buffer.from(JSON.stringify(body))),
      addedUsage: false,
      identity: false,
    }
  },
  signs: true,
  authenticate(credential, request) {
    if (credential === undefined) return {}
    const keys = readAwsKeys(credential)
    if (keys === undefined || request === undefined) return { authorization: `Bearer ${credential}` }
    const region = request.region ?? regionOf(request.url.hostname) ?? 'us-east-1'
    return signAws(request, keys, { region, service: 'bedrock' })
  },
  decodeReply(json, raw) {
    const exact = raw === undefined ? json : parseExactBytes(raw, json)
    const native = (exact as { stopReason?: unknown } | null)?.stopReason
    return { ...decodeMessagesReply(replyAsMessages(exact)), nativeFinish: asString(native) ?? '' }
  },
  readUsage: (json) => readMessagesUsage(replyAsMessages(json)),
  createDecoder: () => new ConverseStreamDecoder(),
  createReader: () => new NoReader(),
  createSplitter: () => new EventStreamSplitter(),
  classifyFailure: classifyConverseFailure,
}
