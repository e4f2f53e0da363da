import { parseArgs } from 'node:util'
import type { Call } from '../../gateway/call.ts'
import { dialect as messages } from '../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../gateway/dialects/openai-responses.ts'
import type { Provider } from '../../gateway/provider.ts'
import { provider as anthropic } from '../../gateway/providers/anthropic.ts'
import { provider as google } from '../../gateway/providers/gemini.ts'
import { provider as openai } from '../../gateway/providers/openai.ts'
import { SseSplitter } from '../../gateway/wire/sse.ts'

/**
 * What translation costs in CPU: µs for a plain call and for an event of a stream, in the same dialect and across;
 * then a prompt of 4 MB and 20 MB of images through each pair, with the memory that it takes.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2000' } } })
const rounds = Number(values.rounds)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const options = { caps: {}, headers: {}, outputTokensMax: 32_000 } as const
const respond = openai.otherFormats?.['openai-responses'] ?? openai
const head = { method: 'POST', url: '/v1beta/models/m:generateContent', headers: {} }

const dialects = { chat, responses, messages, gemini }
type Name = keyof typeof dialects
const providers: Readonly<Record<Name, { provider: Provider; model: string }>> = {
  chat: { provider: openai, model: 'gpt-4.1' },
  responses: { provider: respond, model: 'gpt-4.1' },
  messages: { provider: anthropic, model: 'claude-sonnet-4-5' },
  gemini: { provider: google, model: 'gemini-2.5-flash' },
}
const names = Object.keys(dialects) as Name[]

/** A request with a text and images in each dialect. */
function requestIn(name: Name, text: string, images: readonly string[] = []): Record<string, unknown> {
  const url = (data: string): string => `data:image/png;base64,${data}`
  const user = (parts: unknown[]): unknown[] => [{ role: 'user', content: parts }]
  const source = (data: string): unknown => ({ type: 'base64', media_type: 'image/png', data })
  switch (name) {
    case 'chat': {
      const parts = images.map((data) => ({ type: 'image_url', image_url: { url: url(data) } }))
      return { model: 'm', messages: user([{ type: 'text', text }, ...parts]) }
    }
    case 'responses': {
      const parts = images.map((data) => ({ type: 'input_image', image_url: url(data) }))
      return { model: 'm', input: user([{ type: 'input_text', text }, ...parts]) }
    }
    case 'messages': {
      const parts = images.map((data) => ({ type: 'image', source: source(data) }))
      return { model: 'm', max_tokens: 100, messages: user([{ type: 'text', text }, ...parts]) }
    }
    case 'gemini': {
      const parts = images.map((data) => ({ inlineData: { mimeType: 'image/png', data } }))
      return { contents: [{ role: 'user', parts: [{ text }, ...parts] }] }
    }
  }
}
function callOf(name: Name, raw: Buffer): Call {
  const json = JSON.parse(raw.toString('utf8')) as Record<string, unknown>
  return dialects[name].decodeRequest(raw, json, 'chat', head)
}
function microsOf(act: () => void, count: number): number {
  for (let i = 0; i < Math.min(200, count); i++) act()
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

const reply = {
  id: 'r1',
  model: 'm',
  blocks: [{ type: 'text', text: 'It will rain in Bonn tomorrow.' }],
  finish: 'stop',
  nativeFinish: 'stop',
  usage: { input: 10, output: 8 },
  lost: [],
} as const
const question = 'How will the weather be in Bonn tomorrow?'

function plain(from: Name, to: Name): number {
  const raw = Buffer.from(JSON.stringify(requestIn(from, question)))
  const { provider, model } = providers[to]
  const answered = dialects[to].encodeReply(
    reply,
    callOf(to, Buffer.from(JSON.stringify(requestIn(to, 'q')))),
    0,
  ).body
  const answer = Buffer.from(JSON.stringify(answered))
  return microsOf(() => {
    const call = callOf(from, raw)
    provider.encodeRequest(call, { ...options, model })
    const json: unknown = JSON.parse(answer.toString('utf8'))
    if (from === to) provider.readUsage(json)
    else JSON.stringify(dialects[from].encodeReply(provider.decodeReply(json, answer), call, 0).body)
  }, rounds)
}

const eventCount = 200
function streamIn(name: Name): Buffer {
  const encoder = dialects[name].createEncoder(
    callOf(name, Buffer.from(JSON.stringify(requestIn(name, 'q')))),
    0,
  )
  let text = encoder.push({ type: 'start', id: 'r1', model: 'm' })
  text += encoder.push({ type: 'blockStart', index: 0, block: { type: 'text' } })
  for (let i = 0; i < eventCount; i++)
    text += encoder.push({ type: 'blockDelta', index: 0, text: ` word${i}` })
  text += encoder.push({ type: 'blockEnd', index: 0 })
  text += encoder.push({ type: 'usage', usage: { input: 10, output: 8 } })
  text += encoder.push({ type: 'end', finish: 'stop', nativeFinish: 'stop' })
  return Buffer.from(text + encoder.end())
}
/** The bytes in one piece for each event, as they come from a provider. */
function piecesOf(stream: Buffer): Buffer[] {
  return stream
    .toString('utf8')
    .split(/(?<=\n\n)/)
    .map((each) => Buffer.from(each))
}
let sink = 0
function streamed(from: Name, to: Name): number {
  const pieces = piecesOf(streamIn(to))
  const call = callOf(from, Buffer.from(JSON.stringify(requestIn(from, 'q'))))
  const { provider } = providers[to]
  const pipe = microsOf(() => {
    for (const piece of pieces) sink += piece.length
  }, rounds / 10)
  const relayed = microsOf(() => {
    const splitter = new SseSplitter()
    const reader = provider.createReader({ addedUsage: false })
    const decoder = provider.createDecoder()
    const encoder = dialects[from].createEncoder(call, 0)
    for (const piece of pieces) {
      for (const frame of splitter.push(piece)) {
        if (from === to) {
          sink += reader.read(frame).textBytes
          continue
        }
        for (const delta of decoder.push(frame)) sink += encoder.push(delta).length
      }
    }
  }, rounds / 10)
  return (relayed - pipe) / pieces.length
}

say(`µs of CPU, ${rounds} rounds; rows: the caller's dialect, columns: the provider's format`)
for (const [what, measure] of [
  ['a plain call', plain],
  ['an event of a stream', streamed],
] as const) {
  say(`\n${what.padEnd(22)}${names.map((name) => name.padStart(11)).join('')}`)
  for (const from of names) {
    say(from.padEnd(22) + names.map((to) => measure(from, to).toFixed(1).padStart(11)).join(''))
  }
}

const image = 'A'.repeat(2_666_664)
const large = [
  ['4 MB of text', 'word '.repeat(800_000), []],
  ['20 MB of images', question, Array.from({ length: 10 }, () => image)],
] as const
for (const [what, text, images] of large) {
  say(`\n${what}: ms and MB above the request itself`.padEnd(22))
  say(' '.repeat(22) + names.map((name) => name.padStart(13)).join(''))
  for (const from of names) {
    const raw = Buffer.from(JSON.stringify(requestIn(from, text, images)))
    const row = names.map((to) => {
      globalThis.gc?.()
      const { heapUsed, external } = process.memoryUsage()
      const start = performance.now()
      const { body } = providers[to].provider.encodeRequest(callOf(from, raw), {
        ...options,
        model: providers[to].model,
      })
      const ms = performance.now() - start
      sink += body.length
      const now = process.memoryUsage()
      const mb = (now.heapUsed + now.external - heapUsed - external) / 1e6
      return `${ms.toFixed(0)} / ${mb.toFixed(0)}`.padStart(13)
    })
    say(from.padEnd(22) + row.join(''))
  }
}
if (sink < 0) say('never')
