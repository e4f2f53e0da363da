import type { Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, UsageCounts } from '../../call.ts'
import type { StreamEncoder } from '../../dialect.ts'
import { countCharacters } from '../citations.ts'
import { asObject } from '../json-value.ts'
import { anthropicReasoningFormat, translatedDetailId } from '../reasoning-origin.ts'
import { encodeSseEvent } from '../sse.ts'
import { geminiDetails, responsesDetail } from './encode-reply.ts'
import { encodeChatStreamError } from './errors.ts'
import { encodeFinish } from './finish.ts'
import { encodeChatUsage } from './usage.ts'
import { chatAnnotation, encodeSearches } from './web-search.ts'

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']

/**
 * Canonical events as a Chat Completions stream: the role first, then pieces, the finish, the usage if asked
 * for.
 */
export class ChatStreamEncoder implements StreamEncoder {
  readonly #created: number
  readonly #wantsUsage: boolean
  #id = ''
  #model = ''
  #block: BlockStart | undefined
  #tools = 0
  #details = 0
  #usage: UsageCounts = {}
  /** Characters of the content so far, and of what of it comes before the open block. */
  #characters = 0
  #before = 0

  constructor(call: Call, nowMs: number) {
    this.#created = Math.floor(nowMs / 1000)
    this.#wantsUsage = asObject(call.json.stream_options)?.include_usage === true
  }

  push(delta: Delta): string {
    switch (delta.type) {
      case 'start':
        this.#id = delta.id
        this.#model = delta.model
        return this.#chunk({ role: 'assistant', content: '', refusal: null })
      case 'blockStart':
        return this.#blockStart(delta.block)
      case 'blockDelta':
        return this.#blockDelta(delta)
      case 'citation': {
        const characters = this.#characters - this.#before
        return this.#chunk({ annotations: [chatAnnotation(delta.citation, characters, this.#before)] })
      }
      case 'search':
        return this.#chunk({}, null, encodeSearches([delta.search]))
      case 'blockEnd':
        if (this.#block?.type === 'reasoning') this.#details++
        this.#block = undefined
        return ''
      case 'usage':
        this.#usage = delta.usage
        return ''
      case 'end':
        return this.#chunk({}, encodeFinish(delta.finish))
      case 'error':
      case 'lost':
        return ''
    }
  }

  end(): string {
    const usage = this.#wantsUsage ? encodeChatUsage(this.#usage) : undefined
    const last = usage === undefined ? '' : encodeSseEvent(undefined, { ...this.#head([]), usage })
    return `${last}data: [DONE]\n\n`
  }

  fail(refusal: Refusal): string {
    return encodeChatStreamError(refusal)
  }

  #head(choices: unknown[]): Record<string, unknown> {
    return {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#model,
      choices,
    }
  }

  /** As the vendor does, chunks before the usage say that they have none, where it was asked for. */
  #chunk(delta: unknown, finishReason: string | null = null, beside: object = {}): string {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason }
    const head = { ...this.#head([choice]), ...beside }
    return encodeSseEvent(undefined, this.#wantsUsage ? { ...head, usage: null } : head)
  }

  #blockStart(block: BlockStart): string {
    this.#block = block
    this.#before = this.#characters
    if (block.type !== 'toolCall') return ''
    const called = { name: block.name, arguments: '' }
    return this.#chunk({
      tool_calls: [{ index: this.#tools++, id: block.id, type: 'function', function: called }],
    })
  }

  #blockDelta(delta: Extract<Delta, { type: 'blockDelta' }>): string {
    const text = delta.text ?? ''
    switch (this.#block?.type) {
      case 'toolCall':
        return this.#chunk({ tool_calls: [{ index: this.#tools - 1, function: { arguments: text } }] })
      case 'refusal':
        return this.#chunk({ refusal: text })
      case 'reasoning':
        if (this.#block.origin === 'gemini') return this.#signed(delta)
        return this.#block.origin === 'openai-responses'
          ? this.#sealed(delta)
          : this.#reasoning(delta, this.#block.origin === 'anthropic-messages')
      default:
        this.#characters += countCharacters(text)
        return this.#chunk({ content: text })
    }
  }

  /** OpenAI's thinking: what is shown of it, and at its end what it needs to go back. */
  #sealed({ text, signature, encrypted }: Extract<Delta, { type: 'blockDelta' }>): string {
    const shown = text === undefined ? '' : this.#chunk({ reasoning_content: text })
    if (encrypted === undefined) return shown
    const detail = responsesDetail(encrypted, signature, this.#details)
    return shown + this.#chunk({ reasoning_details: [detail] })
  }

  /** Google's thinking: what is shown of it, and what it needs to go back. */
  #signed({ text, signature, encrypted }: Extract<Delta, { type: 'blockDelta' }>): string {
    const shown = text === undefined ? '' : this.#chunk({ reasoning_content: text })
    const details = geminiDetails({ text: '', signature, encrypted }, this.#details)
    return details.length === 0 ? shown : shown + this.#chunk({ reasoning_details: details })
  }

  #reasoning(
    { text, signature, encrypted }: Extract<Delta, { type: 'blockDelta' }>,
    isSigned: boolean,
  ): string {
    const plain = text !== undefined && { reasoning_content: text }
    if (!isSigned) return plain ? this.#chunk(plain) : ''
    const index = this.#details
    const common = { id: `${translatedDetailId}${index}`, format: anthropicReasoningFormat, index }
    const said =
      encrypted === undefined
        ? {
            type: 'reasoning.text',
            ...(text !== undefined && { text }),
            ...(signature !== undefined && { signature }),
          }
        : { type: 'reasoning.encrypted', data: encrypted }
    return this.#chunk({ ...plain, reasoning_details: [{ ...said, ...common }] })
  }
}
