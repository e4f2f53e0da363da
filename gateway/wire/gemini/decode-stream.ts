import { hash } from 'node:crypto'
import type { Delta } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import type { SearchMade, SearchResult } from '../../web-search.ts'
import { argumentsOfInput } from '../anthropic-messages/tool-arguments.ts'
import { makeSearchId } from '../citations.ts'
import { asArray, asNumber, asObject, asString, type JsonObject, parseExact } from '../json-value.ts'
import { makeCallId } from '../openai-chat/decode-reply.ts'
import { readGeminiError } from './errors.ts'
import { decodeFinish } from './finish.ts'
import { countGeminiSearches, readGrounding } from './grounding.ts'
import { asList, readFields } from './read-fields.ts'
import { readGeminiUsage } from './usage.ts'

type Kind = 'text' | 'reasoning'

/** Of a text that is longer than this it is not said which part rests on a source. */
const placedCharsMax = 4_194_304

/** Events of one text that say where it comes from; each is placed in all of it. */
const groundingsMax = 64

/** Members of a candidate that the canonical form has no place for; none of them comes unasked. */
const lostMembers = ['citationMetadata', 'urlContextMetadata', 'logprobsResult'] as const

/**
 * Events of a Gemini stream into canonical events; each is an answer of its own as far as it goes. Calls come whole.
 * Of several candidates the first. The stream has no end of its own: it is complete with a finish reason.
 */
export class GeminiStreamDecoder implements StreamDecoder {
  readonly #lost = new Set<string>()
  #id = ''
  #started = false
  #blocks = 0
  #open: { readonly index: number; readonly kind: Kind } | undefined
  #calls = 0
  #nativeFinish: string | undefined
  #isBlocked = false
  /** What says where texts come from, until the text is over. */
  #groundings: JsonObject[] = []
  #grounding = ''
  #search: SearchMade | undefined
  /** Queries and sources that were told, which events may say again, and in how many searches. */
  readonly #known = new Set<string>()
  #searchesMade = 0
  /** The open text, its bytes, and those of the texts before it. */
  #text = ''
  #bytes = 0
  #bytesBefore = 0
  #partStarts: (number | undefined)[] = []
  #searches = 0
  #over = false

  push({ data, partial }: SseEvent): Delta[] {
    if (data === '' || this.#over) return []
    let chunk: unknown
    try {
      chunk = parseExact(data)
    } catch {
      return partial ? [] : this.#fail('upstream_invalid', 'The provider sent an event that is not JSON.')
    }
    const fields = readFields(chunk)
    if (fields === undefined)
      return this.#fail('upstream_invalid', 'The provider sent an event that is no object.')
    if (asObject(fields.error) !== undefined) {
      const { status, name, reason, message } = readGeminiError(fields)
      return this.#fail(reason ?? name ?? 'upstream_error', message ?? 'The provider sent an error.', status)
    }
    return this.chunk(fields)
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    if (this.#over || this.#nativeFinish === undefined) return { complete: false, deltas: [] }
    this.#over = true
    const deltas: Delta[] = []
    this.#close(deltas)
    this.#tellSearch(deltas)
    const none = { text: '', partStarts: [], bytesBefore: 0 }
    if (this.#groundings.some((each) => readGrounding(each, none).citations.length > 0)) {
      this.#lose('candidates[].groundingMetadata.groundingSupports', deltas)
    }
    const nativeFinish = this.#nativeFinish
    const finish = this.#isBlocked ? 'contentFilter' : decodeFinish(nativeFinish, this.#calls > 0)
    deltas.push({ type: 'end', finish, nativeFinish })
    return { complete: true, deltas }
  }

  /** What an answer says, or a part of one. */
  chunk(chunk: JsonObject): Delta[] {
    const deltas: Delta[] = []
    if (!this.#started) {
      this.#started = true
      this.#id = asString(chunk.responseId) || makeId(chunk)
      deltas.push({ type: 'start', id: this.#id, model: asString(chunk.modelVersion) ?? '' })
    }
    const usage = readGeminiUsage(chunk)
    this.#searches = Math.max(this.#searches, countGeminiSearches(chunk))
    const searched = this.#searches > 0 && { searches: this.#searches }
    if (usage !== undefined) deltas.push({ type: 'usage', usage: { ...usage, ...searched } })
    const blockReason = asString(readFields(chunk.promptFeedback)?.blockReason)
    if (blockReason !== undefined && blockReason !== 'BLOCK_REASON_UNSPECIFIED') {
      this.#nativeFinish = blockReason
      this.#isBlocked = true
    }
    for (const value of asArray(chunk.candidates)) {
      const candidate = readFields(value)
      if (candidate === undefined) continue
      if ((asNumber(candidate.index) ?? 0) !== 0) this.#lose('candidates[]', deltas)
      else this.#candidate(candidate, deltas)
    }
    return deltas
  }

  #candidate(candidate: JsonObject, deltas: Delta[]): void {
    const grounding = readFields(candidate.groundingMetadata)
    if (grounding !== undefined) this.#ground(grounding, deltas)
    this.#partStarts = []
    for (const part of asList(readFields(candidate.content)?.parts)) {
      this.#part(readFields(part) ?? {}, deltas)
    }
    for (const name of lostMembers) {
      if (Object.keys(asObject(candidate[name]) ?? {}).length > 0) this.#lose(`candidates[].${name}`, deltas)
    }
    const reason = asString(candidate.finishReason)
    if (reason !== undefined && reason !== 'FINISH_REASON_UNSPECIFIED') this.#nativeFinish = reason
  }

  /** A search is told as soon as nothing is open; a plain answer begins with it. */
  #ground(metadata: JsonObject, deltas: Delta[]): void {
    this.#keepGrounding(metadata, deltas)
    const none = { text: '', partStarts: [], bytesBefore: 0 }
    const { search, lost } = readGrounding(metadata, none)
    for (const name of lost) this.#lose(`candidates[].groundingMetadata.${name}`, deltas)
    if (search === undefined) return
    const keyOf = ({ url, title }: SearchResult): string => `at ${url} ${title ?? ''}`
    const queries = search.queries.filter((query) => !this.#known.has(`for ${query}`))
    const results = search.results.filter((result) => !this.#known.has(keyOf(result)))
    if (queries.length + results.length === 0) return
    for (const query of queries) this.#known.add(`for ${query}`)
    for (const result of results) this.#known.add(keyOf(result))
    const before = this.#search
    this.#search = {
      ...search,
      id: before?.id ?? makeSearchId(this.#id, this.#searchesMade++, 'gemini'),
      queries: [...(before?.queries ?? []), ...queries],
      results: [...(before?.results ?? []), ...results],
    }
    if (this.#blocks === 0) this.#tellSearch(deltas)
  }

  /** Events may say again what those before them said. */
  #keepGrounding(metadata: JsonObject, deltas: Delta[]): void {
    const said = JSON.stringify([metadata.groundingChunks, metadata.groundingSupports])
    if (asArray(metadata.groundingSupports).length === 0 || said === this.#grounding) return
    this.#grounding = said
    if (this.#groundings.length < groundingsMax) this.#groundings.push(metadata)
    else this.#lose('candidates[].groundingMetadata.groundingSupports', deltas)
  }

  #tellSearch(deltas: Delta[]): void {
    if (this.#search !== undefined) deltas.push({ type: 'search', search: this.#search })
    this.#search = undefined
  }

  #cite(index: number, deltas: Delta[]): void {
    const isPlaced = this.#text.length <= placedCharsMax
    const text = { text: this.#text, partStarts: this.#partStarts, bytesBefore: this.#bytesBefore }
    const all = this.#groundings.flatMap((metadata) => readGrounding(metadata, text).citations)
    this.#groundings = []
    this.#grounding = ''
    const told = new Set<string>()
    for (const { start, end, ...source } of all) {
      const place = isPlaced && { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }
      const citation = { ...source, ...place }
      const key = JSON.stringify(citation)
      if (!told.has(key)) deltas.push({ type: 'citation', index, citation })
      told.add(key)
    }
  }

  #part(part: JsonObject, deltas: Delta[]): void {
    const signature = asString(part.thoughtSignature) || undefined
    const text = asString(part.text)
    if (part.thought === true && text !== undefined) {
      this.#partStarts.push(undefined)
      this.#think(text, signature, deltas)
      return
    }
    if (signature !== undefined) this.#prove(signature, deltas)
    const call = readFields(part.functionCall)
    if (text !== undefined) {
      if (text !== '') this.#say(text, deltas)
      else this.#partStarts.push(undefined)
    } else if (call !== undefined) {
      this.#partStarts.push(undefined)
      this.#call(call, deltas)
    } else {
      this.#partStarts.push(undefined)
      const member = Object.keys(part).find((name) => name !== 'thought' && name !== 'thoughtSignature')
      if (member !== undefined) this.#lose(`candidates[].content.parts[].${member}`, deltas)
    }
  }

  #say(text: string, deltas: Delta[]): void {
    deltas.push({ type: 'blockDelta', index: this.#turnTo('text', deltas), text })
    this.#partStarts.push(this.#bytes)
    this.#bytes += Buffer.byteLength(text)
    if (this.#text.length <= placedCharsMax) this.#text += text
  }

  #think(text: string, signature: string | undefined, deltas: Delta[]): void {
    if (text === '' && signature === undefined) return
    const index = this.#turnTo('reasoning', deltas)
    if (text !== '') deltas.push({ type: 'blockDelta', index, text })
    if (signature === undefined) return
    deltas.push({ type: 'blockDelta', index, signature })
    this.#close(deltas)
  }

  /** The signature of a part that is no thought, before the part: the end of the thinking that led to it. */
  #prove(signature: string, deltas: Delta[]): void {
    deltas.push({ type: 'blockDelta', index: this.#turnTo('reasoning', deltas), encrypted: signature })
    this.#close(deltas)
  }

  #call(call: JsonObject, deltas: Delta[]): void {
    this.#close(deltas)
    const index = this.#blocks++
    const id = asString(call.id) || makeCallId(this.#id, this.#calls)
    this.#calls++
    const block = { type: 'toolCall', id, name: asString(call.name) ?? '' } as const
    deltas.push({ type: 'blockStart', index, block })
    deltas.push({ type: 'blockDelta', index, text: argumentsOfInput(call.args) })
    deltas.push({ type: 'blockEnd', index })
  }

  #turnTo(kind: Kind, deltas: Delta[]): number {
    if (this.#open?.kind === kind) return this.#open.index
    this.#close(deltas)
    const index = this.#blocks++
    this.#open = { index, kind }
    const block = kind === 'text' ? ({ type: kind } as const) : ({ type: kind, origin: 'gemini' } as const)
    deltas.push({ type: 'blockStart', index, block })
    return index
  }

  #close(deltas: Delta[]): void {
    const open = this.#open
    this.#open = undefined
    if (open?.kind === 'text') {
      this.#cite(open.index, deltas)
      this.#bytesBefore += this.#bytes
      this.#bytes = 0
      this.#text = ''
      this.#partStarts = this.#partStarts.map(() => undefined)
    }
    if (open !== undefined) deltas.push({ type: 'blockEnd', index: open.index })
    if (open?.kind === 'text') this.#tellSearch(deltas)
  }

  #lose(path: string, deltas: Delta[]): void {
    if (this.#lost.has(path)) return
    this.#lost.add(path)
    deltas.push({ type: 'lost', path: `response.${path}` })
  }

  #fail(code: string, message: string, status?: number): Delta[] {
    this.#over = true
    return [{ type: 'error', code, message, ...(status !== undefined && { status }) }]
  }
}

/** Not every server of this format gives its answers an id, and clients of others need one to put a stream together. */
function makeId(chunk: JsonObject): string {
  return hash('sha256', JSON.stringify(chunk), 'hex').slice(0, 24)
}
