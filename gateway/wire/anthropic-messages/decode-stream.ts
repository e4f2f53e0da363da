import type { Delta, UsageCounts } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import type { Citation } from '../../web-search.ts'
import { asCount, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { lostBeside, readExplanation } from './decode-reply.ts'
import { readMessagesError } from './errors.ts'
import { decodeStopReason } from './finish.ts'
import { MessagesUsage } from './usage.ts'
import { decodeCitation, isSearchUse, SearchPairs } from './web-search.ts'

/** Events of a Messages stream into canonical events. */
export class MessagesStreamDecoder implements StreamDecoder {
  readonly #usage = new MessagesUsage()
  readonly #lost = new Set<string>()
  /** Anthropic's index → ours, of blocks that have a canonical form. */
  readonly #blocks = new Map<number, number>()
  #blockCount = 0
  #open: number | undefined
  /** Sources of the open block: told at its end, as they are of all of it. */
  #citations: Citation[] = []
  readonly #searches = new SearchPairs()
  /** The search whose input is being written. */
  #asking: { readonly native: number; readonly id: string; input: string } | undefined
  /** The open block is a tool call whose arguments have not begun. */
  #awaitsInput = false
  /** A tool call that ended without arguments: whole, unless the limit cut it, which the next event tells. */
  #endedEmpty: number | undefined
  #end: Extract<Delta, { type: 'end' }> | undefined
  #explanation: string | undefined
  #ended = false
  #failed = false

  push({ data, partial }: SseEvent): Delta[] {
    if (data === '' || this.#ended || this.#failed) return []
    let event: unknown
    try {
      event = JSON.parse(data)
    } catch {
      // OpenRouter closes its Messages streams with OpenAI's marker.
      if (partial || data.trim() === '[DONE]') return []
      return this.#fail('upstream_invalid', 'The provider sent an event that is not JSON.')
    }
    return isObject(event) ? this.#event(event) : []
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    return { complete: this.#ended, deltas: [] }
  }

  #fail(code: string, message: string): Delta[] {
    this.#failed = true
    return [{ type: 'error', code, message }]
  }

  /** `ping` and events that are not known yet say nothing. */
  #event(event: JsonObject): Delta[] {
    if (this.#endedEmpty !== undefined && event.type !== 'ping') return this.#settleEmpty(event)
    switch (event.type) {
      case 'message_start':
        return this.#start(asObject(event.message) ?? {})
      case 'content_block_start':
        return this.#blockStart(asCount(event.index) ?? 0, asObject(event.content_block) ?? {})
      case 'content_block_delta':
        return this.#blockDelta(asCount(event.index) ?? 0, asObject(event.delta) ?? {})
      case 'content_block_stop':
        return this.#blockEnd(asCount(event.index) ?? 0)
      case 'message_delta':
        return this.#messageDelta(event)
      case 'message_stop':
        return this.#stop()
      case 'error': {
        const { code, message } = readMessagesError(event)
        return this.#fail(code ?? 'upstream_error', message ?? 'The provider sent an error.')
      }
      default:
        return []
    }
  }

  #start(message: JsonObject): Delta[] {
    const start: Delta = {
      type: 'start',
      id: asString(message.id) ?? '',
      model: asString(message.model) ?? '',
    }
    return [start, ...this.#usageDelta(message.usage)]
  }

  #usageDelta(value: unknown): Delta[] {
    const usage = asObject(value)
    if (usage === undefined) return []
    const counts: UsageCounts = this.#usage.update(usage)
    return [{ type: 'usage', usage: counts }]
  }

  #blockStart(native: number, block: JsonObject): Delta[] {
    const type = asString(block.type) ?? 'type'
    const opened = startOf(block)
    if (isSearchUse(block)) return this.#searchStart(native, block)
    if (type === 'web_search_tool_result') return this.#searchFound(block)
    if (opened === undefined) return this.#lose(`content[].${type}`)
    const index = this.#blockCount++
    this.#blocks.set(native, index)
    // Blocks never overlap; a server that leaves one open has ended it.
    const before = this.#open
    this.#open = index
    this.#awaitsInput = opened.type === 'toolCall'
    const deltas: Delta[] = before === undefined ? [] : this.#endOf(before)
    deltas.push({ type: 'blockStart', index, block: opened })
    const text = asString(block.text) || asString(block.thinking) || wholeInput(block.input)
    if (text) {
      this.#awaitsInput = false
      deltas.push({ type: 'blockDelta', index, text })
    }
    const signature = asString(block.signature)
    if (signature) deltas.push({ type: 'blockDelta', index, signature })
    if (typeof block.data === 'string') deltas.push({ type: 'blockDelta', index, encrypted: block.data })
    return deltas
  }

  #blockDelta(native: number, delta: JsonObject): Delta[] {
    const index = this.#blocks.get(native)
    if (this.#asking?.native === native) this.#asking.input += asString(delta.partial_json) ?? ''
    if (index === undefined || index !== this.#open) return []
    if (delta.type === 'citations_delta') return this.#cite(delta.citation)
    const signature = asString(delta.signature)
    if (signature) return [{ type: 'blockDelta', index, signature }]
    const text = asString(delta.text) ?? asString(delta.thinking) ?? asString(delta.partial_json)
    if (!text) return []
    this.#awaitsInput = false
    return [{ type: 'blockDelta', index, text }]
  }

  #cite(value: unknown): Delta[] {
    const citation = decodeCitation(value)
    if (citation === undefined) return this.#lose('content[].citations')
    this.#citations.push(citation)
    return []
  }

  #endOf(index: number): Delta[] {
    const citations = this.#citations.map((citation): Delta => ({ type: 'citation', index, citation }))
    this.#citations = []
    return [...citations, { type: 'blockEnd', index }]
  }

  #searchStart(native: number, block: JsonObject): Delta[] {
    this.#asking = { native, id: asString(block.id) ?? '', input: wholeInput(block.input) ?? '' }
    return []
  }

  #asked(): void {
    const asking = this.#asking
    this.#asking = undefined
    if (asking === undefined) return
    let input: unknown
    try {
      input = JSON.parse(asking.input)
    } catch {
      // A search of which nobody knows what it was for is one still.
    }
    this.#searches.ask(asking.id, input)
  }

  #searchFound(block: JsonObject): Delta[] {
    this.#asked()
    const before = this.#open
    this.#open = undefined
    const ended = before === undefined ? [] : this.#endOf(before)
    return [...ended, { type: 'search', search: this.#searches.find(block) }]
  }

  #blockEnd(native: number): Delta[] {
    if (this.#asking?.native === native) this.#asked()
    const index = this.#blocks.get(native)
    if (index === undefined || this.#open !== index) return []
    this.#open = undefined
    if (!this.#awaitsInput) return this.#endOf(index)
    this.#endedEmpty = index
    return []
  }

  /** Clients of other formats parse the arguments: none at all have to be an empty object. */
  #settleEmpty(event: JsonObject): Delta[] {
    const index = this.#endedEmpty ?? 0
    this.#endedEmpty = undefined
    const reason = asString(asObject(event.delta)?.stop_reason)
    if (reason !== undefined && decodeStopReason(reason) === 'length') {
      this.#open = index
      return this.#event(event)
    }
    return [{ type: 'blockDelta', index, text: '{}' }, { type: 'blockEnd', index }, ...this.#event(event)]
  }

  #messageDelta(event: JsonObject): Delta[] {
    const delta = asObject(event.delta) ?? {}
    const nativeFinish = asString(delta.stop_reason)
    this.#explanation = readExplanation(delta.stop_details) ?? this.#explanation
    if (nativeFinish !== undefined) {
      const stopSequence = asString(delta.stop_sequence)
      const stopped = stopSequence !== undefined && { stopSequence }
      this.#end = { type: 'end', finish: decodeStopReason(nativeFinish), nativeFinish, ...stopped }
    }
    const edited = { ...delta, context_management: event.context_management ?? delta.context_management }
    const lost = lostBeside(edited).flatMap((path) => this.#lose(path))
    return [...lost, ...this.#usageDelta(event.usage)]
  }

  #stop(): Delta[] {
    this.#ended = true
    this.#asked()
    const deltas: Delta[] = this.#searches.rest().map((search) => ({ type: 'search', search }))
    if (this.#explanation !== undefined) {
      if (this.#open !== undefined) deltas.push(...this.#endOf(this.#open))
      const index = this.#blockCount++
      deltas.push({ type: 'blockStart', index, block: { type: 'refusal' } })
      deltas.push({ type: 'blockDelta', index, text: this.#explanation })
      deltas.push({ type: 'blockEnd', index })
    }
    deltas.push(this.#end ?? { type: 'end', finish: 'other', nativeFinish: '' })
    return deltas
  }

  #lose(path: string): Delta[] {
    const name = `response.${path}`
    if (this.#lost.has(name)) return []
    this.#lost.add(name)
    return [{ type: 'lost', path: name }]
  }
}

type Opened = Extract<Delta, { type: 'blockStart' }>['block']

function startOf(block: JsonObject): Opened | undefined {
  switch (block.type) {
    case 'text':
      return { type: 'text' }
    case 'thinking':
    case 'redacted_thinking':
      return { type: 'reasoning', origin: 'anthropic-messages' }
    case 'tool_use':
      return { type: 'toolCall', id: asString(block.id) ?? '', name: asString(block.name) ?? '' }
    default:
      return undefined
  }
}

/** Anthropic starts with an empty input; servers that imitate it may put all of it there. */
function wholeInput(input: unknown): string | undefined {
  return isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : undefined
}
