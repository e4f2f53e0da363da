import type { Call, WireFormat } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { decode } from '../steps/decode.ts'
import { spliceJson } from '../wire/json-splice.ts'

/** What asks for the next version of a draft. How it is to differ is what the step's prompt says. */
export const askForNext = 'Give the final version of your answer above, and nothing else.'

/** The member with the turns of a conversation, and a turn of text as each format has it. */
const forms: Readonly<
  Record<WireFormat, { readonly member: string; turn(role: 'user' | 'assistant', text: string): unknown }>
> = {
  'openai-chat': { member: 'messages', turn: (role, content) => ({ role, content }) },
  'openai-responses': { member: 'input', turn: (role, content) => ({ role, content }) },
  'anthropic-messages': { member: 'messages', turn: (role, content) => ({ role, content }) },
  gemini: {
    member: 'contents',
    turn: (role, text) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] }),
  },
  'vercel-ai': { member: 'prompt', turn: (role, text) => ({ role, content: [{ type: 'text', text }] }) },
}

/** The same call, asked for as a plain one: nobody but the next step reads its answer. */
export function plainOf(call: Call): Call {
  const { asArray: _, ...rest } = call
  if (!call.stream) return call
  const members = ['stream', 'stream_options'].filter((name) => Object.hasOwn(call.json, name))
  const raw = spliceJson(
    call.raw,
    members.map((name) => ({ path: [name], value: undefined })),
  )
  const { stream: _stream, stream_options: _options, ...json } = call.json
  return { ...rest, stream: false, raw, json }
}

/** The conversation with a draft of its answer behind it, and a turn that asks for the next version. */
export function withDraft(call: Call, draft: string, dialect: Dialect): Call {
  const { member, turn } = forms[call.format]
  const own = call.json[member]
  const turns = Array.isArray(own) ? own : own === undefined ? [] : [turn('user', String(own))]
  const value = JSON.stringify([...turns, turn('assistant', draft), turn('user', askForNext)])
  const raw = spliceJson(call.raw, [{ path: [member], value }])
  const { stream, asArray } = call
  const decoded = decode(raw, dialect, { operation: call.operation }, call.head)
  return { ...decoded, stream, ...(asArray !== undefined && { asArray }) }
}
