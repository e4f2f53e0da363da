import type { Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, Finish, UsageCounts } from '../../call.ts'
import type { StreamEncoder } from '../../dialect.ts'
import type { Citation, SearchMade } from '../../web-search.ts'
import { countCharacters, encodeAnnotation } from '../citations.ts'
import type { JsonObject } from '../json-value.ts'
import { encodeSseEvent } from '../sse.ts'
import { createToolNames } from '../tool-names.ts'
import { encodeFailedEnd } from './errors.ts'
import { type OfferedTool, toolsByFlatName } from './offered-tools.ts'
import {
  createItemIds,
  messageItem,
  type OutputItem,
  reasoningItem,
  textPart,
  toolCallItem,
} from './output-items.ts'
import { endedResponse, responseObject } from './response-object.ts'
import { encodeResponsesUsage } from './usage.ts'
import { begunSearch, searchItem, searchSteps } from './web-search.ts'

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']
type BlockDelta = Extract<Delta, { type: 'blockDelta' }>
interface OpenMessage {
  readonly id: string
  readonly parts: Record<string, unknown>[]
}
interface OpenBlock {
  readonly block: BlockStart
  readonly id: string
  text: string
  /** What thinking needs to go back. */
  readonly proof: { signature?: string; encrypted?: string }
  readonly annotations: unknown[]
}

/**
 * Canonical events as a Responses stream, in OpenAI's order: created, in_progress; for each item added, its parts
 * with their pieces, done; then completed, incomplete or failed with the whole answer. A message stays open while
 * texts follow each other; a custom tool's input comes in one piece, as it is only known when its arguments are whole.
 */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #request: JsonObject
  readonly #nameOf: (name: string) => string
  readonly #tools: ReadonlyMap<string, OfferedTool>
  readonly #createdS: number
  #response: Record<string, unknown>
  #makeId = createItemIds('')
  #sequence = 0
  readonly #output: OutputItem[] = []
  #message: OpenMessage | undefined
  #open: OpenBlock | undefined
  #usage: UsageCounts = {}
  #finish: Finish = 'other'

  constructor(call: Call, nowMs: number) {
    this.#request = call.json
    this.#nameOf = createToolNames(call.summary.toolNames)
    this.#tools = toolsByFlatName(call.json)
    this.#createdS = Math.floor(nowMs / 1000)
    this.#response = responseObject({ id: '', model: call.model, createdS: this.#createdS }, call.json)
  }

  push(delta: Delta): string {
    switch (delta.type) {
      case 'start':
        return this.#start(delta.id, delta.model)
      case 'blockStart':
        return this.#blockStart(delta.block)
      case 'blockDelta':
        return this.#blockDelta(delta)
      case 'citation':
        return this.#annotation(delta.citation)
      case 'search':
        return this.#search(delta.search)
      case 'blockEnd':
        return this.#blockEnd()
      case 'usage':
        this.#usage = delta.usage
        return ''
      case 'end':
        this.#finish = delta.finish
        return ''
      case 'error':
      case 'lost':
        return ''
    }
  }

  end(): string {
    const text = this.#closeAll()
    const response = this.#ended()
    return text + this.#event(`response.${response.status}`, { response })
  }

  /** An open tool call stays open: agents execute what is done. */
  fail(refusal: Refusal): string {
    const text = this.#closeAll()
    const usage = encodeResponsesUsage(this.#usage)
    const response = { ...this.#response, output: this.#output, usage }
    return text + encodeFailedEnd(refusal, response, this.#sequence)
  }

  #event(type: string, members: object): string {
    return encodeSseEvent(type, { type, ...members, sequence_number: this.#sequence++ })
  }

  #start(id: string, model: string): string {
    this.#makeId = createItemIds(id)
    this.#response = responseObject({ id, model, createdS: this.#createdS }, this.#request)
    const response = this.#response
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response })
  }

  #ended(): Record<string, unknown> {
    const rest = { finish: this.#finish, usage: this.#usage, nowS: this.#createdS }
    return endedResponse(this.#response, { output: this.#output, ...rest })
  }

  #blockStart(block: BlockStart): string {
    const isText = block.type === 'text' || block.type === 'refusal'
    const before = isText ? '' : this.#closeMessage('completed')
    const index = this.#output.length
    const prefix = isText ? 'msg' : block.type === 'reasoning' ? 'rs' : 'fc'
    const id = this.#message?.id ?? this.#makeId(prefix, index)
    this.#open = { block, id, text: '', proof: {}, annotations: [] }
    if (block.type === 'text' || block.type === 'refusal') return this.#partStart(block.type, id)
    if (block.type === 'reasoning') {
      const item = reasoningItem(id, { text: '', origin: block.origin }, 'completed')
      return before + this.#added(item)
    }
    return before + this.#added(this.#toolCall(this.#open, 'in_progress'))
  }

  #added(item: OutputItem): string {
    return this.#event('response.output_item.added', { output_index: this.#output.length, item })
  }

  /** A message is part of the output when it is done; until then it stands at the next place. */
  #partStart(type: 'text' | 'refusal', id: string): string {
    let text = ''
    if (this.#message === undefined) {
      this.#message = { id, parts: [] }
      text = this.#added(messageItem(id, [], 'in_progress'))
    }
    return text + this.#event('response.content_part.added', { ...this.#place(), part: textPart(type, '') })
  }

  /** Where the open part is. */
  #place(): Record<string, unknown> {
    const place = { item_id: this.#open?.id, output_index: this.#output.length }
    const type = this.#open?.block.type
    if (type === 'reasoning') return { ...place, summary_index: 0 }
    if (type === 'toolCall') return place
    return { ...place, content_index: this.#message?.parts.length ?? 0 }
  }

  #blockDelta({ text, signature, encrypted }: BlockDelta): string {
    const open = this.#open
    if (open === undefined) return ''
    if (signature !== undefined) open.proof.signature = signature
    if (encrypted !== undefined) open.proof.encrypted = encrypted
    if (text === undefined || text === '') return ''
    const isFirst = open.text === ''
    open.text += text
    const delta = { ...this.#place(), delta: text }
    switch (open.block.type) {
      case 'text':
        return this.#event('response.output_text.delta', { ...delta, logprobs: [] })
      case 'refusal':
        return this.#event('response.refusal.delta', delta)
      case 'toolCall':
        return this.#kindOf(open) === 'function'
          ? this.#event('response.function_call_arguments.delta', delta)
          : ''
      case 'reasoning': {
        const part = { ...this.#place(), part: { type: 'summary_text', text: '' } }
        const added = isFirst ? this.#event('response.reasoning_summary_part.added', part) : ''
        return added + this.#event('response.reasoning_summary_text.delta', delta)
      }
    }
  }

  #annotation(citation: Citation): string {
    const open = this.#open
    if (open === undefined) return ''
    const annotation = encodeAnnotation(citation, countCharacters(open.text))
    const place = { ...this.#place(), annotation_index: open.annotations.length }
    open.annotations.push(annotation)
    return this.#event('response.output_text.annotation.added', { ...place, annotation })
  }

  /** A search that is over, in the events of one that goes on. */
  #search(search: SearchMade): string {
    const before = this.#closeMessage('completed')
    const id = this.#makeId('ws', this.#output.length)
    const place = { item_id: id, output_index: this.#output.length }
    const added = this.#added(begunSearch(id))
    const said = searchSteps.map((step) => this.#event(step, place)).join('')
    return before + added + said + this.#done(searchItem(id, search))
  }

  #blockEnd(): string {
    const open = this.#open
    if (open === undefined) return ''
    const text = this.#endOf(open)
    this.#open = undefined
    return text
  }

  #endOf(open: OpenBlock): string {
    const { type } = open.block
    if (type === 'text' || type === 'refusal') return this.#endPart(type, open)
    return type === 'reasoning' ? this.#endReasoning(open) : this.#endToolCall(open)
  }

  #endPart(type: 'text' | 'refusal', { text, annotations }: OpenBlock): string {
    const place = this.#place()
    const part = textPart(type, text, annotations)
    const said = type === 'text' ? { text, logprobs: [] } : { refusal: text }
    const done = type === 'text' ? 'response.output_text.done' : 'response.refusal.done'
    const events =
      this.#event(done, { ...place, ...said }) + this.#event('response.content_part.done', { ...place, part })
    this.#message?.parts.push(part)
    return events
  }

  #endReasoning(open: OpenBlock): string {
    const { block, id, text, proof } = open
    if (block.type !== 'reasoning') return ''
    const place = this.#place()
    const part = { type: 'summary_text', text }
    const events =
      text === ''
        ? ''
        : this.#event('response.reasoning_summary_text.done', { ...place, text }) +
          this.#event('response.reasoning_summary_part.done', { ...place, part })
    // An item keeps the id under which it was begun.
    const item = { ...reasoningItem(id, { text, ...proof, origin: block.origin }, 'completed'), id }
    return events + this.#done(item)
  }

  #endToolCall(open: OpenBlock): string {
    const place = this.#place()
    const item = this.#toolCall(open, 'completed')
    const { input } = item
    switch (this.#kindOf(open)) {
      case 'custom':
        return (
          this.#event('response.custom_tool_call_input.delta', { ...place, delta: input }) +
          this.#event('response.custom_tool_call_input.done', { ...place, input }) +
          this.#done(item)
        )
      case 'function': {
        const said = { ...place, arguments: open.text }
        return this.#event('response.function_call_arguments.done', said) + this.#done(item)
      }
      case 'toolSearch':
        return this.#done(item)
    }
  }

  #done(item: OutputItem): string {
    const event = this.#event('response.output_item.done', { output_index: this.#output.length, item })
    this.#output.push(item)
    return event
  }

  #toolCall({ block, id, text }: OpenBlock, status: 'in_progress' | 'completed' | 'incomplete'): OutputItem {
    if (block.type !== 'toolCall') return { id }
    const name = this.#nameOf(block.name)
    return toolCallItem(id, { id: block.id, name, arguments: text }, { tool: this.#tools.get(name), status })
  }

  #kindOf({ block }: OpenBlock): OfferedTool['kind'] {
    const tool = block.type === 'toolCall' ? this.#tools.get(this.#nameOf(block.name)) : undefined
    return tool?.kind ?? 'function'
  }

  #closeMessage(status: 'completed' | 'incomplete'): string {
    const message = this.#message
    if (message === undefined) return ''
    this.#message = undefined
    return this.#done(messageItem(message.id, message.parts, status))
  }

  /** Texts and thinking are closed; an open call was cut, and stands as incomplete in the whole answer alone. */
  #closeAll(): string {
    const open = this.#open
    this.#open = undefined
    if (open?.block.type === 'toolCall') {
      this.#output.push(this.#toolCall(open, 'incomplete'))
      return ''
    }
    this.#open = open
    const text = this.#blockEnd()
    return text + this.#closeMessage(this.#finish === 'length' ? 'incomplete' : 'completed')
  }
}
