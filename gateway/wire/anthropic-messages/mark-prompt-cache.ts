import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import { asArray, asObject, asString, parseExact } from '../json-value.ts'

type Json = Readonly<Record<string, unknown>>

/** Blocks that take no mark: a request with one there is refused. */
const unmarkable: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking'])
const ownMark = Buffer.from('"cache_control"')

/** The list with a mark on its last member; undefined where that takes none. */
function withLast(list: readonly unknown[], mark: Json): unknown[] | undefined {
  const last = asObject(list.at(-1))
  if (last === undefined || unmarkable.has(last.type) || last.text === '') return undefined
  return [...list.slice(0, -1), { ...last, cache_control: mark }]
}

/** Texts that are a string stand for one block. */
function blocksOf(content: unknown): readonly unknown[] {
  const text = asString(content)
  if (text === undefined) return asArray(content)
  return text === '' ? [] : [{ type: 'text', text }]
}

function markedMessages(messages: readonly unknown[], mark: Json): unknown[] | undefined {
  const last = asObject(messages.at(-1))
  const content = last === undefined ? undefined : withLast(blocksOf(last.content), mark)
  return content === undefined ? undefined : [...messages.slice(0, -1), { ...last, content }]
}

/**
 * A Messages request with marks for the provider's own prompt cache: after the tools, the system text and the
 * conversation so far (three of the four that there may be). A request with marks of its own stays as it is.
 * Source: platform.claude.com/docs/en/build-with-claude/prompt-caching.
 */
export function markPromptCache(body: Buffer, ttl: '5m' | '1h'): Buffer {
  if (body.includes(ownMark)) return body
  const text = body.toString('utf8')
  const json = asObject(parseExact(text))
  if (json === undefined) return body
  const mark = ttl === '5m' ? { type: 'ephemeral' } : { type: 'ephemeral', ttl }
  const marked = {
    tools: withLast(asArray(json.tools), mark),
    system: withLast(blocksOf(json.system), mark),
    messages: markedMessages(asArray(json.messages), mark),
  }
  const edits = Object.entries(marked).flatMap(([name, value]): JsonEdit[] =>
    value === undefined ? [] : [{ path: [name], value: JSON.stringify(value) }],
  )
  return spliceRequest(body, edits)
}
