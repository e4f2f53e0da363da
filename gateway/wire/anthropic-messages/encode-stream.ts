import type { Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, UsageCounts } from '../../call.ts'
import type { StreamEncoder } from '../../dialect.ts'
import type { Citation, SearchMade } from '../../web-search.ts'
import { sealReasoning } from '../reasoning-origin.ts'
import { encodeSseEvent } from '../sse.ts'
import { createToolNames } from '../tool-names.ts'
import { encodeMessagesStreamError } from './errors.ts'
import { encodeStop } from './finish.ts'
import { encodeMessagesUsage } from './usage.ts'
import { encodeCitation, searchBlocks, searchId } from './web-search.ts'

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']
type BlockDelta = Extract<Delta, { type: 'blockDelta' }>

/**
 * Canonical events as a Messages stream: start, blocks that open and close one after another, the stop reason
 * with the usage, stop. The start waits for the usage that comes with it, and a thinking block for its first
 * piece, which says of which kind it is.
 */
export class MessagesStreamEncoder implements StreamEncoder {
  readonly #nameOf: (name: string) => string
  #start: Extract<Delta, { type: 'start' }> | undefined
  #usage: UsageCounts = {}
  /** Index of the next block. */
  #index = 0
  #block: BlockStart | undefined
  #isOpen = false
  #refused = false
  /** The open text has its sources: what follows is another block. */
  #isCited = false
  /** Arguments that may still become `null`. */
  #heldInput: string | undefined

  constructor(call: Call) {
    this.#nameOf = createToolNames(call.summary.toolNames)
  }

  push(delta: Delta): string {
    switch (delta.type) {
      case 'start':
        this.#start = delta
        return ''
      case 'usage':
        this.#usage = delta.usage
        return this.#messageStart()
      case 'blockStart':
        this.#block = delta.block
        return this.#messageStart() + this.#openBlock()
      case 'blockDelta':
        return this.#blockDelta(delta)
      case 'citation':
        return this.#cite(delta.citation)
      case 'search':
        return this.#messageStart() + this.#search(delta.search)
      case 'blockEnd':
        return this.#closeBlock()
      case 'end':
        return this.#messageStart() + this.#closeText() + this.#messageDelta(delta)
      case 'error':
      case 'lost':
        return ''
    }
  }

  end(): string {
    return `${this.#messageStart()}${encodeSseEvent('message_stop', { type: 'message_stop' })}`
  }

  fail(refusal: Refusal, recordId: string): string {
    return this.#closeText() + encodeMessagesStreamError(refusal, recordId)
  }

  #messageStart(): string {
    if (this.#start === undefined) return ''
    const { id, model } = this.#start
    this.#start = undefined
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: encodeMessagesUsage(this.#usage),
    }
    return encodeSseEvent('message_start', { type: 'message_start', message })
  }

  #openBlock(): string {
    switch (this.#block?.type) {
      case 'text':
        return this.#blockStart({ type: 'text', text: '' })
      case 'refusal':
        this.#refused = true
        return this.#blockStart({ type: 'text', text: '' })
      case 'toolCall':
        this.#heldInput = ''
        return this.#blockStart({
          type: 'tool_use',
          id: this.#block.id,
          name: this.#nameOf(this.#block.name),
          input: {},
        })
      default:
        return ''
    }
  }

  #blockStart(block: unknown): string {
    this.#isOpen = true
    const event = { type: 'content_block_start', index: this.#index, content_block: block }
    return encodeSseEvent('content_block_start', event)
  }

  #blockDelta({ text, signature, encrypted }: BlockDelta): string {
    if (this.#block?.type === 'toolCall') return this.#input(text ?? '')
    if (this.#block?.type !== 'reasoning') return this.#textPiece(text ?? '')
    const isSealed = this.#block.origin === 'openai-responses' || this.#block.origin === 'gemini'
    if (encrypted !== undefined && !isSealed)
      return this.#blockStart({ type: 'redacted_thinking', data: encrypted })
    const proof = isSealed ? sealReasoning({ origin: this.#block.origin, signature, encrypted }) : signature
    const start = this.#isOpen ? '' : this.#blockStart({ type: 'thinking', thinking: '', signature: '' })
    const said = text === undefined ? '' : this.#piece({ type: 'thinking_delta', thinking: text })
    if (proof === undefined) return start + said
    return start + said + this.#piece({ type: 'signature_delta', signature: proof })
  }

  #textPiece(text: string): string {
    const block = this.#block
    const ended = this.#isCited ? this.#closeBlock() : ''
    this.#block = block
    const opened = ended === '' ? '' : this.#openBlock()
    return ended + opened + this.#piece({ type: 'text_delta', text })
  }

  #cite(citation: Citation): string {
    if (!this.#isOpen) return ''
    this.#isCited = true
    return this.#piece({ type: 'citations_delta', citation: encodeCitation(citation) })
  }

  #search(search: SearchMade): string {
    const [use, result] = searchBlocks(search, searchId(search))
    const asked = { type: 'input_json_delta', partial_json: JSON.stringify(use.input) }
    const begun = this.#blockStart({ ...use, input: {} }) + this.#piece(asked) + this.#closeBlock()
    return begun + this.#blockStart(result) + this.#closeBlock()
  }

  /** Some servers write no arguments as `null`, which is no input: held back until it is something else. */
  #input(text: string): string {
    const begun = (this.#heldInput ?? '') + text
    if (this.#heldInput !== undefined && 'null'.startsWith(begun)) {
      this.#heldInput = begun
      return ''
    }
    this.#heldInput = undefined
    return this.#piece({ type: 'input_json_delta', partial_json: begun })
  }

  #piece(delta: unknown): string {
    return encodeSseEvent('content_block_delta', { type: 'content_block_delta', index: this.#index, delta })
  }

  #closeBlock(): string {
    const held = this.#heldInput
    this.#heldInput = undefined
    this.#block = undefined
    this.#isCited = false
    if (!this.#isOpen) return ''
    this.#isOpen = false
    const rest = held && held !== 'null' ? this.#piece({ type: 'input_json_delta', partial_json: held }) : ''
    return rest + encodeSseEvent('content_block_stop', { type: 'content_block_stop', index: this.#index++ })
  }

  /** An open tool call stays open: closed, it would count as complete. */
  #closeText(): string {
    return this.#block?.type === 'toolCall' ? '' : this.#closeBlock()
  }

  #messageDelta({ finish, stopSequence }: Extract<Delta, { type: 'end' }>): string {
    const delta = encodeStop({ finish, stopSequence, refused: this.#refused })
    const { cache_creation: _split, ...usage } = encodeMessagesUsage(this.#usage)
    return encodeSseEvent('message_delta', { type: 'message_delta', delta, usage })
  }
}
