import type { Call, WireFormat } from '../call.ts'

/** The last text of a caller, and the request without it. */
export interface LastQuestion {
  readonly text: string
  readonly rest: Call['json']
}

/** A longer text is no question: what it means is more than one thing. */
const charsMax = 8192
/** Where each format has its turns, and a turn its text. */
const places: Readonly<Record<WireFormat, { readonly turns: string; readonly texts: string }>> = {
  'openai-chat': { turns: 'messages', texts: 'content' },
  'openai-responses': { turns: 'input', texts: 'content' },
  'anthropic-messages': { turns: 'messages', texts: 'content' },
  gemini: { turns: 'contents', texts: 'parts' },
  'vercel-ai': { turns: 'prompt', texts: 'content' },
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Texts of a turn, and the turn's texts emptied; undefined where anything else stands there. */
function emptied(said: unknown): { readonly text: string; readonly left: unknown } | undefined {
  if (typeof said === 'string') return { text: said, left: '' }
  if (!Array.isArray(said)) return undefined
  const texts = said.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []))
  if (texts.length === 0 || texts.length !== said.length) return undefined
  return { text: texts.join('\n'), left: said.map((part) => ({ ...part, text: '' })) }
}

/**
 * The question that a conversation ends with, and the request without its words: instructions, tools, turns before and
 * all else stay. Undefined where the last turn is not the caller's, or has more than texts.
 */
export function lastQuestion({ operation, format, json }: Call): LastQuestion | undefined {
  if (operation !== 'chat') return undefined
  const { turns: member, texts } = places[format]
  const turns = json[member]
  const all = Array.isArray(turns) ? turns : [turns]
  const last: unknown = all.at(-1)
  const isTurn = isObject(last) && (last.role === 'user' || (format === 'gemini' && last.role === undefined))
  const said = emptied(isTurn ? last[texts] : typeof last === 'string' ? last : undefined)
  if (said === undefined || said.text.trim() === '' || said.text.length > charsMax) return undefined
  const left = isTurn ? { ...last, [texts]: said.left } : said.left
  return { text: said.text, rest: { ...json, [member]: [...all.slice(0, -1), left] } }
}
