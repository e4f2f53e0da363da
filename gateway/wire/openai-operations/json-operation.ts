import { Refusal } from '@signalbox/sdk/contract'
import type { Call, CallSummary, ChatPayload, WireFormat } from '../../call.ts'
import type { NativeOperation, NativeRequest } from '../../native-operation.ts'
import type { EncodeOptions } from '../../provider.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import { asString, type JsonObject } from '../json-value.ts'

/** What a call of an operation is made of, beside how it is served. */
export interface NativeCallInput {
  readonly raw: Buffer
  readonly json: JsonObject
  readonly operation: Call['operation']
  readonly dialect: string
  readonly format: WireFormat
  readonly summary: CallSummary
  readonly native: NativeOperation
  /** Texts of the request, for who looks at them. */
  readonly texts?: readonly string[]
  readonly model?: string
  readonly stream?: boolean
}

/** A call that is served natively. */
export function nativeCall(input: NativeCallInput): Call {
  const { texts, json, format } = input
  return {
    operation: input.operation,
    dialect: input.dialect,
    format,
    model: input.model ?? asString(json.model) ?? '',
    stream: input.stream ?? json.stream === true,
    raw: input.raw,
    json,
    summary: input.summary,
    native: input.native,
    payload() {
      if (texts !== undefined) return payloadOf(texts, format)
      throw new Refusal('unsupported_feature', {
        message: `The chosen model's provider has no ${input.native.name}.`,
      })
    },
  }
}

/** The texts as a conversation: only those who look at text ever see it. */
function payloadOf(texts: readonly string[], origin: WireFormat): ChatPayload {
  const messages = texts.map((text, index) => {
    const path = `input[${index}]`
    return { role: 'user' as const, path, blocks: [{ type: 'text' as const, text, path }] }
  })
  return { origin, paths: {}, messages, tools: [], extra: new Map() }
}

const nothingSaid = { hasSystem: false, hasImages: false, lastRole: 'user' } as const

/** The summary of a request that is a number of texts. */
export function summaryOf(texts: readonly string[], rest: Partial<CallSummary> = {}): CallSummary {
  let chars = 0
  for (const text of texts) chars += text.length
  return { messages: { ...nothingSaid, count: texts.length, chars }, toolNames: [], metadata: {}, ...rest }
}

/** The received JSON bytes for an upstream, with its own name of the model and further changes. */
export function jsonRequest(
  call: Call,
  options: EncodeOptions,
  path: string,
  edits: readonly JsonEdit[] = [],
): NativeRequest {
  const named: JsonEdit[] =
    options.model === call.json.model ? [] : [{ path: ['model'], value: JSON.stringify(options.model) }]
  return {
    method: 'POST',
    path,
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
    },
    body: spliceRequest(call.raw, [...named, ...edits]),
  }
}
