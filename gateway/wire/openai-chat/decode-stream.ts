import type { Delta } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import type { Citation, SearchMade } from '../../web-search.ts'
import { countCharacters, decodeAnnotation } from '../citations.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { namePath } from '../losses.ts'
import { chatReasoningMark } from '../reasoning-origin.ts'
import { readDetail } from './decode-reasoning.ts'
import { hasContent, lostMembers, makeCallId } from './decode-reply.ts'
import { readChatError } from './errors.ts'
import { decodeFinish } from './finish.ts'
import type { ChatQuirks } from './quirks.ts'
import { readChatUsage } from './usage.ts'
import { movedBy, readSearch, readSources } from './web-search.ts'

interface OpenBlock {
  readonly index: number
  readonly type: 'text' | 'refusal' | 'reasoning' | 'toolCall'
  /**
   * What distinguishes it from a neighbour of its type: index of a call or detail, member of the thinking.
   */
  readonly key: string
}
interface ToolCall {
  readonly position: number
  id: string
  name: string
  /** Arguments that came before the name. */
  waiting: string
}

/** Chunks of a Chat Completions stream into canonical events; of several choices the first. */
export class ChatStreamDecoder implements StreamDecoder {
  readonly #quirks: ChatQuirks
  readonly #calls = new Map<string, ToolCall>()
  /** Positions of the calls that have a block. */
  readonly #blocksOfCalls = new Set<string>()
  readonly #lost = new Set<string>()
  #id = ''
  #started = false
  #blocks = 0
  #open: OpenBlock | undefined
  #callsMade = 0
  /** Characters of the content so far, and of what of it comes before the open block. */
  #characters = 0
  #before = 0
  /** Said of the whole answer, each time again: told once, when the text is over. */
  #sources: readonly Citation[] = []
  #search: SearchMade | undefined
  #nativeFinish: string | undefined
  /** What the model behind a router said. */
  #routedFinish: unknown
  #ended = false
  #failed = false

  constructor(quirks: ChatQuirks) {
    this.#quirks = quirks
  }

  push({ event, data, partial }: SseEvent): Delta[] {
    if (data === '' || this.#ended || this.#failed) return []
    if (data.trim() === '[DONE]') return this.#end()
    let chunk: unknown
    try {
      chunk = JSON.parse(data)
    } catch {
      if (partial) return []
      return this.#fail({ message: 'The provider sent an event that is not JSON.' })
    }
    if (!isObject(chunk)) return this.#fail({ message: 'The provider sent an event that is no object.' })
    if (event === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      return this.#fail(readChatError(chunk))
    }
    return this.#chunk(chunk)
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    if (this.#failed) return { complete: false, deltas: [] }
    if (this.#ended) return { complete: true, deltas: [] }
    if (!this.#quirks.endsWithoutDone || this.#nativeFinish === undefined)
      return { complete: false, deltas: [] }
    return { complete: true, deltas: this.#end() }
  }

  #fail(said: { code?: string; type?: string; message?: string; status?: number }): Delta[] {
    this.#failed = true
    const code = said.code ?? said.type ?? 'upstream_invalid'
    const message = said.message ?? 'The provider sent an error.'
    return [{ type: 'error', code, message, ...(said.status !== undefined && { status: said.status }) }]
  }

  #chunk(chunk: JsonObject): Delta[] {
    const deltas: Delta[] = []
    const choices = asArray(chunk.choices)
    if (!this.#started) {
      this.#started = true
      this.#id = asString(chunk.id) ?? ''
      deltas.push({ type: 'start', id: this.#id, model: asString(chunk.model) ?? '' })
    }
    for (const value of choices) {
      const choice = asObject(value)
      if (choice === undefined) continue
      if (choice.index !== undefined && choice.index !== 0) this.#lose('choices[]', deltas)
      else this.#choice(choice, deltas)
    }
    this.#sources = [readSources(chunk), this.#sources].find(({ length }) => length > 0) ?? []
    this.#search = readSearch(chunk, this.#id) ?? this.#search
    for (const member of lostMembers) if (hasContent(chunk[member])) this.#lose(member, deltas)
    const usage = readChatUsage(chunk)
    if (usage !== undefined && !this.#failed) deltas.push({ type: 'usage', usage })
    return deltas
  }

  #choice(choice: JsonObject, deltas: Delta[]): void {
    const delta = asObject(choice.delta) ?? {}
    this.#reasoning(delta, deltas)
    this.#content(delta.content, deltas)
    this.#text('refusal', asString(delta.refusal), deltas)
    for (const [position, call] of asArray(delta.tool_calls).entries()) {
      if (isObject(call) && !this.#failed) this.#toolCall(call, position, deltas)
    }
    if (this.#failed) return
    if (asArray(asObject(choice.logprobs)?.content).length > 0) this.#lose('choices[].logprobs', deltas)
    for (const annotation of asArray(delta.annotations)) this.#cite(decodeAnnotation(annotation), deltas)
    if (isObject(delta.audio)) this.#lose('choices[].message.audio', deltas)
    if (hasContent(delta.images)) this.#lose('choices[].message.images', deltas)
    if (isObject(delta.function_call)) this.#lose('choices[].message.function_call', deltas)
    if (typeof choice.finish_reason !== 'string') return
    this.#nativeFinish = choice.finish_reason
    this.#routedFinish = choice.native_finish_reason
  }

  #content(content: unknown, deltas: Delta[]): void {
    if (!Array.isArray(content)) {
      this.#text('text', asString(content), deltas)
      return
    }
    for (const part of content) {
      const { type, text, thinking } = asObject(part) ?? {}
      if (text === undefined && thinking === undefined) {
        this.#lose(`choices[].message.content[].${asString(type) ?? 'type'}`, deltas)
      }
      for (const inner of asArray(thinking)) {
        this.#think('reasoning', asString(asObject(inner)?.text), deltas)
      }
      this.#text('text', asString(text), deltas)
    }
  }

  #text(type: 'text' | 'refusal', text: string | undefined, deltas: Delta[]): void {
    if (!text) return
    const open = this.#turnTo(type, '', deltas, () => ({ type }))
    deltas.push({ type: 'blockDelta', index: open.index, text })
    if (type === 'text') this.#characters += countCharacters(text)
  }

  /** Places are of the whole content. */
  #cite(citation: Citation | undefined, deltas: Delta[]): void {
    const open = this.#open
    if (citation === undefined || open?.type !== 'text') this.#lose('choices[].message.annotations', deltas)
    else deltas.push({ type: 'citation', index: open.index, citation: movedBy(citation, this.#before) })
  }

  /** `reasoning_details` where the server has them; the plain members say the same again. */
  #reasoning(delta: JsonObject, deltas: Delta[]): void {
    const details = asArray(delta.reasoning_details).filter(isObject).map(readDetail)
    let isRead = false
    for (const { text, signature, data, isAnthropic, index } of details) {
      if (!isAnthropic && text === '') {
        this.#lose('thinking.signature', deltas)
        continue
      }
      isRead = true
      if (!isAnthropic) this.#think('reasoning', text, deltas)
      else {
        const key = `detail ${index ?? ''}`
        const open = this.#turnTo('reasoning', key, deltas, () => ({
          type: 'reasoning',
          origin: 'anthropic-messages',
        }))
        if (text !== '') deltas.push({ type: 'blockDelta', index: open.index, text })
        if (signature !== undefined) deltas.push({ type: 'blockDelta', index: open.index, signature })
        if (data !== undefined) deltas.push({ type: 'blockDelta', index: open.index, encrypted: data })
      }
    }
    if (isRead) return
    const content = asString(delta.reasoning_content)
    if (content) this.#think('reasoning_content', content, deltas)
    else this.#think('reasoning', asString(delta.reasoning), deltas)
  }

  #think(member: 'reasoning_content' | 'reasoning', text: string | undefined, deltas: Delta[]): void {
    if (!text) return
    const open = this.#turnTo('reasoning', member, deltas, () => ({
      type: 'reasoning',
      origin: 'openai-chat',
    }))
    deltas.push({ type: 'blockDelta', index: open.index, text })
  }

  #toolCall(piece: JsonObject, position: number, deltas: Delta[]): void {
    const called = asObject(piece.function)
    const name = asString(called?.name) ?? ''
    const text = asString(called?.arguments) ?? ''
    const key =
      typeof piece.index === 'number' ? String(piece.index) : (asString(piece.id) ?? String(position))
    const id = asString(piece.id) ?? ''
    let call = this.#calls.get(key)
    // Some servers number all their calls 0: another id with a name is another call.
    if (call === undefined || (id !== '' && call.id !== '' && id !== call.id && name !== '')) {
      call = { position: this.#callsMade++, id, name: '', waiting: '' }
      this.#calls.set(key, call)
    }
    if (call.id === '') call.id = id
    if (call.name === '') {
      call.name = name
      call.waiting += text
      if (name === '') return
    }
    this.#argue(call, call.waiting === '' ? text : call.waiting, deltas)
    call.waiting = ''
  }

  #argue(call: ToolCall, text: string, deltas: Delta[]): void {
    const key = String(call.position)
    const isOpen = this.#open?.type === 'toolCall' && this.#open.key === key
    if (!isOpen && this.#blocksOfCalls.has(key)) {
      // Canonical blocks never overlap, and what was closed may be on its way to the caller as complete.
      deltas.push(...this.#fail({ message: 'The provider went back to a tool call after the next one.' }))
      return
    }
    const id = call.id === '' ? makeCallId(this.#id, call.position) : call.id
    const open = this.#turnTo('toolCall', key, deltas, () => ({ type: 'toolCall', id, name: call.name }))
    this.#blocksOfCalls.add(key)
    if (text !== '') deltas.push({ type: 'blockDelta', index: open.index, text })
  }

  /** The open block, if it is the one wanted; else that one is closed and a new one opened. */
  #turnTo(
    type: OpenBlock['type'],
    key: string,
    deltas: Delta[],
    make: () => Extract<Delta, { type: 'blockStart' }>['block'],
  ): OpenBlock {
    if (this.#open?.type === type && this.#open.key === key) return this.#open
    this.#close(deltas)
    const index = this.#blocks++
    this.#before = this.#characters
    this.#open = { index, type, key }
    deltas.push({ type: 'blockStart', index, block: make() })
    return this.#open
  }

  #close(deltas: Delta[]): void {
    const open = this.#open
    if (open === undefined) return
    if (open.type === 'reasoning' && (open.key === 'reasoning' || open.key === 'reasoning_content')) {
      deltas.push({ type: 'blockDelta', index: open.index, signature: chatReasoningMark(open.key) })
    }
    deltas.push({ type: 'blockEnd', index: open.index })
    this.#open = undefined
  }

  #end(): Delta[] {
    this.#ended = true
    const deltas: Delta[] = []
    const nativeFinish = this.#nativeFinish ?? ''
    const finish = decodeFinish(nativeFinish, this.#callsMade > 0, this.#routedFinish)
    // A call that the limit cut is not complete.
    this.#tellSearch(deltas)
    if (finish !== 'length' || this.#open?.type !== 'toolCall') this.#close(deltas)
    deltas.push({ type: 'end', finish, nativeFinish })
    return deltas
  }

  #tellSearch(deltas: Delta[]): void {
    const open = this.#open
    for (const citation of this.#sources) {
      if (open?.type !== 'text') this.#lose('citations', deltas)
      else deltas.push({ type: 'citation', index: open.index, citation })
    }
    if (this.#search === undefined) return
    if (open?.type === 'toolCall') this.#lose('search_results', deltas)
    else {
      this.#close(deltas)
      deltas.push({ type: 'search', search: this.#search })
    }
  }

  #lose(path: string, deltas: Delta[]): void {
    const name = `response.${namePath(path)}`
    if (this.#lost.has(name)) return
    this.#lost.add(name)
    deltas.push({ type: 'lost', path: name })
  }
}
