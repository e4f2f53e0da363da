import type { Operation, Usage } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import type { RequestHead } from './dialect.ts'
import type { NativeOperation } from './native-operation.ts'
import type { Citation, SearchMade, WebSearch } from './web-search.ts'

export type UsageCounts = Static<typeof Usage>
/**
 * The formats that bytes on a wire can have; a dialect and a provider of the same format pass bytes through.
 */
export type WireFormat = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'vercel-ai'

/**
 * What the facts, the plan and the admission need of a request; read from the parsed body without rebuilding
 * it.
 */
export interface CallSummary {
  readonly maxOutputTokens?: number
  readonly temperaturePpm?: number
  readonly reasoningLevel?: string
  readonly responseFormat?: 'text' | 'json' | 'jsonSchema'
  readonly choices?: number
  readonly messages: {
    readonly count: number
    readonly chars: number
    readonly hasSystem: boolean
    readonly hasImages: boolean
    readonly lastRole: string
  }
  readonly toolNames: readonly string[]
  /** The dialect's own metadata and end user. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly userId?: string
}

/** One request in canonical form. Only codecs, meters and screens look into the payload. */
export interface Call {
  readonly operation: Operation
  /** Id of the dialect it came in. */
  readonly dialect: string
  readonly format: WireFormat
  /** Model as the caller named it. */
  readonly model: string
  readonly stream: boolean
  /** The stream is wanted as one JSON array, an element for each event; absent: as server-sent events. */
  readonly asArray?: boolean
  /** Only the number of its input tokens is asked for; nothing is generated. */
  readonly counts?: boolean
  /** Version of the API in the path that the caller asked under, for formats with several: `v1beta`. */
  readonly apiVersion?: string
  /** The body as received. */
  readonly raw: Buffer
  readonly json: Readonly<Record<string, unknown>>
  readonly summary: CallSummary
  /** Things kept at a provider that the call goes on from; absent where it brings all itself. */
  readonly stored?: readonly StoredReference[]
  /** Paths of the body that its reading could not keep, whatever the target; absent where all is kept. */
  readonly lost?: readonly string[]
  /** What the request said beside its body, where that is needed to read the body again. */
  readonly head?: RequestHead
  /** How it is served where it is passed on as it is and never translated; absent for conversations. */
  readonly native?: NativeOperation
  /**
   * Decodes the conversation, once; only a hop to another format asks for it. Throws a Refusal that names the
   * member.
   */
  payload(): ChatPayload
}

/** A thing kept at a provider, and the member that names it: `previous_response_id`. */
export interface StoredReference {
  readonly path: string
  readonly id: string
}
export interface CacheMark {
  readonly ttl?: '5m' | '1h'
}
/**
 * A part of a message. `path` is where it stood in the caller's body, to name what is lost:
 * `messages[0].content[1]`.
 */
export type Block = { readonly path: string; readonly cache?: CacheMark } & (
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'image'
      readonly mediaType?: string
      readonly base64?: string
      readonly url?: string
      readonly detail?: string
    }
  | {
      readonly type: 'document'
      readonly mediaType?: string
      readonly base64?: string
      readonly url?: string
      readonly text?: string
      readonly title?: string
      /** What the caller's format calls the title, where not so: `file.filename`. */
      readonly titleMember?: string
    }
  | { readonly type: 'audio'; readonly format: string; readonly base64: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly arguments: string }
  | {
      readonly type: 'toolResult'
      readonly toolCallId: string
      readonly isError: boolean
      readonly blocks: readonly Block[]
    }
  /**
   * Thinking of a model. `signature` and `encrypted` mean something only to the provider format that made
   * them; for `openai-chat`, which signs nothing, `signature` is the mark that tells it apart
   * (wire/reasoning-origin.ts); for `openai-responses` it is the item's id. For `gemini`, `signature` is the thought's
   * own, and `encrypted` that of the part which follows it.
   */
  | {
      readonly type: 'reasoning'
      readonly text?: string
      readonly signature?: string
      readonly encrypted?: string
      readonly origin: WireFormat
    }
  | { readonly type: 'refusal'; readonly text: string }
  /** Something only its own format knows; carried when the hop stays in it, named as dropped when not. */
  | { readonly type: 'opaque'; readonly origin: WireFormat; readonly value: unknown }
)

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly blocks: readonly Block[]
  readonly path: string
  readonly name?: string
}
export interface Tool {
  readonly name: string
  readonly description?: string
  readonly schema: unknown
  readonly strict?: boolean
  readonly cache?: CacheMark
  readonly path: string
}
export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** Only these of the offered tools. */
  | { readonly type: 'allowed'; readonly mode: 'auto' | 'required'; readonly names: readonly string[] }

/** How hard a model should think: a level by name, a budget, or both. Level `none` means not at all. */
export interface Reasoning {
  readonly level?: string
  readonly budgetTokens?: number
  /** The caller wants to read the thinking. */
  readonly visible: boolean
}

/**
 * A conversation in canonical form. Members that no field stands for are in `extra`, by path in the caller's
 * body (`logit_bias`, `tools[0].defer_loading`); nulls are not among them, as they ask for nothing.
 */
export interface ChatPayload {
  /** The format it was decoded from. */
  readonly origin: WireFormat
  /** Where a field stood in the caller's body: `maxOutputTokens` → `max_completion_tokens`. */
  readonly paths: Readonly<Record<string, string>>
  /** System messages keep their place. */
  readonly messages: readonly Message[]
  readonly tools: readonly Tool[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  /** Of several the first; the others are in `extra`. */
  readonly webSearch?: WebSearch
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly choices?: number
  readonly reasoning?: Reasoning
  readonly output?:
    | { readonly type: 'text' | 'json' }
    | {
        readonly type: 'jsonSchema'
        readonly name?: string
        readonly description?: string
        readonly schema: unknown
        readonly strict?: boolean
      }
  readonly userId?: string
  readonly extra: ReadonlyMap<string, unknown>
}

export type Finish = 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'error' | 'other'
export type ReplyBlock =
  | { readonly type: 'text'; readonly text: string; readonly citations?: readonly Citation[] }
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'reasoning'
      readonly text: string
      readonly signature?: string
      readonly encrypted?: string
      readonly origin: WireFormat
    }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly arguments: string }
  | ({ readonly type: 'search' } & SearchMade)

/** A whole answer in canonical form. */
export interface Reply {
  readonly id: string
  readonly model: string
  readonly blocks: readonly ReplyBlock[]
  readonly finish: Finish
  /** The provider's own word for the finish. */
  readonly nativeFinish: string
  readonly stopSequence?: string
  readonly usage: UsageCounts
  /** What this answer has and the canonical form has not: `response.content[].citations`. */
  readonly lost: readonly string[]
}

/**
 * One event of a streamed answer in canonical form. Blocks open and close in order and never overlap; a tool
 * call that the upstream left incomplete has no `blockEnd`. `usage` is the whole so far: overwrite, never
 * add. A citation is of the open block of text, and comes after what it is about; a search stands between blocks.
 */
export type Delta =
  | { readonly type: 'start'; readonly id: string; readonly model: string }
  | {
      readonly type: 'blockStart'
      readonly index: number
      readonly block:
        | { readonly type: 'text' | 'refusal' }
        | { readonly type: 'reasoning'; readonly origin: WireFormat }
        | { readonly type: 'toolCall'; readonly id: string; readonly name: string }
    }
  | {
      readonly type: 'blockDelta'
      readonly index: number
      readonly text?: string
      readonly signature?: string
      readonly encrypted?: string
    }
  | { readonly type: 'citation'; readonly index: number; readonly citation: Citation }
  | { readonly type: 'blockEnd'; readonly index: number }
  | { readonly type: 'search'; readonly search: SearchMade }
  | { readonly type: 'usage'; readonly usage: UsageCounts }
  | {
      readonly type: 'end'
      readonly finish: Finish
      readonly nativeFinish: string
      readonly stopSequence?: string
    }
  /** The upstream's own error event. Nothing follows it. */
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly status?: number }
  /** What the stream has and the canonical form has not: `response.content[].citations`. */
  | { readonly type: 'lost'; readonly path: string }
