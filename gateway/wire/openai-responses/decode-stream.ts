import type { Delta } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import { asArray, asCount, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { citationsOf, losePart, reasoningProof } from './decode-reply.ts'
import { readEventError } from './errors.ts'
import { decodeEnd } from './finish.ts'
import { readResponsesUsage } from './usage.ts'
import { decodeSearchCall } from './web-search.ts'

interface OpenBlock {
  readonly index: number
  /** Item and part that it is of. */
  readonly key: string
  readonly type: 'text' | 'refusal' | 'reasoning' | 'toolCall'
  /** Text that has come. */
  hasText: boolean
  /** Sources that were told. */
  citations: number
  /** Of thinking: which of its two texts is shown, and the part of it that came last. */
  shown?: string
  part?: number
}

/** Events of a Responses stream into canonical events. */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #lost = new Set<string>()
  /** Items of which a block was opened. */
  readonly #seen = new Set<string>()
  #started = false
  #blocks = 0
  #open: OpenBlock | undefined
  #hasToolCalls = false
  #ended = false
  #failed = false

  push({ event, data, partial }: SseEvent): Delta[] {
    if (data === '' || this.#ended || this.#failed) return []
    let value: unknown
    try {
      value = JSON.parse(data)
    } catch {
      if (partial || data.trim() === '[DONE]') return []
      return this.#fail('upstream_invalid', 'The provider sent an event that is not JSON.')
    }
    if (!isObject(value)) return []
    const deltas: Delta[] = []
    this.#event(asString(value.type) ?? event, value, deltas)
    return deltas
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    return { complete: this.#ended, deltas: [] }
  }

  #fail(code: string, message: string): Delta[] {
    this.#failed = true
    return [{ type: 'error', code, message }]
  }

  /** Events that repeat what came before, and those that are not known yet, say nothing. */
  #event(type: string, event: JsonObject, deltas: Delta[]): void {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#start(asObject(event.response) ?? {}, deltas)
        return
      case 'response.output_item.added':
        this.#itemAdded(asObject(event.item) ?? {}, keyOf(event), deltas)
        return
      case 'response.output_text.delta':
        this.#text('text', event, asString(event.delta), deltas)
        return
      case 'response.refusal.delta':
        this.#text('refusal', event, asString(event.delta), deltas)
        return
      case 'response.output_text.annotation.added':
        this.#cite({ annotations: [event.annotation] }, partKeyOf(event), deltas)
        return
      case 'response.output_text.done':
      case 'response.content_part.done':
        this.#partDone(event, deltas)
        return
      case 'response.reasoning_summary_text.delta':
        this.#think('summary', asCount(event.summary_index), event, deltas)
        return
      case 'response.reasoning_text.delta':
        this.#think('content', asCount(event.content_index), event, deltas)
        return
      case 'response.function_call_arguments.delta':
        this.#argue(keyOf(event), asString(event.delta), deltas)
        return
      case 'response.output_item.done':
        this.#itemDone(asObject(event.item) ?? {}, keyOf(event), deltas)
        return
      case 'response.completed':
      case 'response.incomplete':
        this.#end(asObject(event.response) ?? {}, deltas)
        return
      case 'response.failed':
      case 'error': {
        const { code, message } = readEventError(event)
        deltas.push(...this.#fail(code, message))
      }
    }
  }

  #start(response: JsonObject, deltas: Delta[]): void {
    if (this.#started) return
    this.#started = true
    deltas.push({ type: 'start', id: asString(response.id) ?? '', model: asString(response.model) ?? '' })
  }

  #itemAdded(item: JsonObject, key: string, deltas: Delta[]): void {
    const type = asString(item.type) ?? 'type'
    if (type === 'message' || type === 'reasoning' || type === 'web_search_call') return
    if (type !== 'function_call') {
      this.#lose(`output[].${type}`, deltas)
      return
    }
    this.#hasToolCalls = true
    const call = { id: asString(item.call_id) ?? '', name: asString(item.name) ?? '' }
    this.#turnTo('toolCall', key, deltas, { type: 'toolCall', ...call })
    this.#argue(key, asString(item.arguments), deltas)
  }

  #text(type: 'text' | 'refusal', event: JsonObject, text: string | undefined, deltas: Delta[]): void {
    if (!text) return
    const open = this.#turnTo(type, partKeyOf(event), deltas, { type })
    open.hasText = true
    deltas.push({ type: 'blockDelta', index: open.index, text })
  }

  #partDone(event: JsonObject, deltas: Delta[]): void {
    const part = asObject(event.part) ?? event
    losePart(part, (path) => this.#lose(path, deltas))
    this.#citeRest(part, partKeyOf(event), deltas)
  }

  #cite(part: JsonObject, key: string, deltas: Delta[]): void {
    const citations = citationsOf(part, (path) => this.#lose(path, deltas))
    const open = this.#open
    if (citations.length > 0 && (open?.type !== 'text' || open.key !== key)) {
      this.#lose('output[].content[].annotations', deltas)
      return
    }
    if (open === undefined) return
    open.citations += citations.length
    for (const citation of citations) deltas.push({ type: 'citation', index: open.index, citation })
  }

  /** Sources that stand in the whole part and had no event of their own. */
  #citeRest(part: JsonObject, key: string, deltas: Delta[]): void {
    const open = this.#open
    if (open?.type !== 'text' || open.key !== key) return
    const told = asArray(part.annotations).slice(open.citations)
    this.#cite({ annotations: told }, key, deltas)
  }

  /** Parts of one text are set apart as the plain answer's are; the other text of the same thinking is left out. */
  #think(shown: string, part: number | undefined, event: JsonObject, deltas: Delta[]): void {
    const text = asString(event.delta)
    if (!text) return
    const open = this.#turnTo('reasoning', keyOf(event), deltas, {
      type: 'reasoning',
      origin: 'openai-responses',
    })
    open.shown ??= shown
    if (open.shown !== shown) return
    const apart = open.hasText && part !== open.part ? '\n\n' : ''
    if (part !== undefined) open.part = part
    open.hasText = true
    deltas.push({ type: 'blockDelta', index: open.index, text: apart + text })
  }

  #argue(key: string, text: string | undefined, deltas: Delta[]): void {
    const open = this.#open
    if (!text || open?.type !== 'toolCall') return
    if (open.key !== key) {
      deltas.push(
        ...this.#fail('upstream_invalid', 'The provider went back to a tool call after the next one.'),
      )
      return
    }
    open.hasText = true
    deltas.push({ type: 'blockDelta', index: open.index, text })
  }

  /** A whole item closes its block; of one that came without pieces all is taken from it. */
  #itemDone(item: JsonObject, key: string, deltas: Delta[]): void {
    if (item.type === 'reasoning') this.#reasoningDone(item, key, deltas)
    else if (item.type === 'message') this.#messageDone(item, key, deltas)
    else if (item.type === 'web_search_call') this.#searchDone(item, deltas)
    else if (item.type === 'function_call' && item.status !== 'incomplete') {
      if (!this.#seen.has(key)) this.#itemAdded({ ...item, arguments: '' }, key, deltas)
      if (this.#open?.key !== key) return
      if (!this.#open.hasText) this.#argue(key, asString(item.arguments) || '{}', deltas)
      this.#close(deltas)
    }
  }

  #messageDone(item: JsonObject, key: string, deltas: Delta[]): void {
    const isWhole = !this.#seen.has(key)
    for (const [index, value] of asArray(item.content).entries()) {
      const part = asObject(value) ?? {}
      losePart(part, (path) => this.#lose(path, deltas))
      const type = part.type === 'refusal' ? 'refusal' : 'text'
      const place = { output_index: Number(key), content_index: index }
      if (isWhole) this.#text(type, place, asString(part[type]), deltas)
      this.#citeRest(part, `${key} ${index}`, deltas)
    }
    const isOpen = this.#open?.key.startsWith(`${key} `) === true
    if (isOpen) this.#close(deltas)
  }

  #searchDone(item: JsonObject, deltas: Delta[]): void {
    const search = decodeSearchCall(item)
    if (search === undefined || this.#open?.type === 'toolCall') {
      this.#lose('output[].web_search_call.action', deltas)
      return
    }
    this.#close(deltas)
    deltas.push({ type: 'search', search })
  }

  #reasoningDone(item: JsonObject, key: string, deltas: Delta[]): void {
    const proof = reasoningProof(item)
    const isOpen = this.#open?.type === 'reasoning' && this.#open.key === key
    if (proof.encrypted === undefined && !isOpen) return
    const block = { type: 'reasoning', origin: 'openai-responses' } as const
    const { index } = this.#turnTo('reasoning', key, deltas, block)
    deltas.push({ type: 'blockDelta', index, ...proof })
    this.#close(deltas)
  }

  #turnTo(
    type: OpenBlock['type'],
    key: string,
    deltas: Delta[],
    block: Extract<Delta, { type: 'blockStart' }>['block'],
  ): OpenBlock {
    if (this.#open?.type === type && this.#open.key === key) return this.#open
    this.#close(deltas)
    const index = this.#blocks++
    this.#seen.add(key.split(' ')[0] ?? key)
    this.#open = { index, type, key, hasText: false, citations: 0 }
    deltas.push({ type: 'blockStart', index, block })
    return this.#open
  }

  #close(deltas: Delta[]): void {
    if (this.#open === undefined) return
    deltas.push({ type: 'blockEnd', index: this.#open.index })
    this.#open = undefined
  }

  #end(response: JsonObject, deltas: Delta[]): void {
    this.#start(response, deltas)
    this.#ended = true
    const end = decodeEnd(response, this.#hasToolCalls)
    // A call that the limit cut is not complete.
    if (end.finish !== 'length' || this.#open?.type !== 'toolCall') this.#close(deltas)
    const usage = readResponsesUsage(response)
    if (usage !== undefined) deltas.push({ type: 'usage', usage })
    deltas.push({ type: 'end', ...end })
  }

  #lose(path: string, deltas: Delta[]): void {
    if (this.#lost.has(path)) return
    this.#lost.add(path)
    deltas.push({ type: 'lost', path: `response.${path}` })
  }
}

/** An item goes by its place in the output; ids may differ from event to event. */
function keyOf(event: JsonObject): string {
  return String(asCount(event.output_index) ?? asString(event.item_id) ?? '')
}

/** A part goes by its item and its place there. */
function partKeyOf(event: JsonObject): string {
  return `${keyOf(event)} ${asCount(event.content_index) ?? 0}`
}
