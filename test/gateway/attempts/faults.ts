import { setTimeout as wait } from 'node:timers/promises'
import {
  chatChunk,
  chatCompletion,
  chatDone,
  chatUsageChunk,
  message,
  messageStream,
  type Script,
  type UpstreamTurn,
} from '../../support/scripted-upstream.ts'

/** What goes wrong at an upstream. */
export const faults = ['429', '500', '529', 'refused', 'stall', 'slow', 'cut', 'malformed'] as const
export type Fault = (typeof faults)[number]
/** Whether it happens before anything of the answer went out, or in the middle of it. */
export type Moment = 'before' | 'after'

const slowMs = 25
const bad = '{"choices": [oops'

/** An answer in its format, in pieces: the first has text, the last its end. */
interface Answer {
  readonly plain: string
  readonly pieces: readonly string[]
  errorEvent(status: string): string
}

const openAi = (text: string): Answer => ({
  plain: JSON.stringify(chatCompletion(text)),
  pieces: [
    chatChunk({ role: 'assistant', content: 'partial ' }),
    chatChunk({ content: text }),
    chatChunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + chatUsageChunk + chatDone,
  ],
  errorEvent: (status) =>
    `data: ${JSON.stringify({ error: { message: 'no', type: 'server_error', code: status } })}\n\n`,
})
const anthropic = (text: string): Answer => {
  const events = messageStream('partial ', text)
  return {
    plain: JSON.stringify(message(text)),
    pieces: [events.slice(0, 3).join(''), events.slice(3, 4).join(''), events.slice(4).join('')],
    errorEvent: () =>
      `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'no' } })}\n\n`,
  }
}

const event = (type: string, rest: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
const responses = (text: string): Answer => {
  const part = { type: 'output_text', text, annotations: [] }
  const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [part] }
  const usage = { input_tokens: 9, output_tokens: 3, total_tokens: 12 }
  const head = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'gpt-5.2',
    status: 'in_progress',
    output: [],
  }
  const whole = { ...head, status: 'completed', output: [item], usage }
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  const full = { ...part, text: `partial ${text}` }
  const open = { ...item, status: 'in_progress', content: [] }
  const done = { ...item, content: [full] }
  return {
    plain: JSON.stringify(whole),
    pieces: [
      event('response.created', { response: head }) +
        event('response.output_item.added', { output_index: 0, item: open }) +
        event('response.content_part.added', { ...at, part: { ...part, text: '' } }) +
        event('response.output_text.delta', { ...at, delta: 'partial ' }),
      event('response.output_text.delta', { ...at, delta: text }),
      event('response.output_text.done', { ...at, text: full.text }) +
        event('response.content_part.done', { ...at, part: full }) +
        event('response.output_item.done', { output_index: 0, item: done }) +
        event('response.completed', { response: { ...whole, output: [done] } }),
    ],
    errorEvent: (code) => event('error', { code, message: 'no', param: null }),
  }
}
const gemini = (text: string): Answer => {
  const chunk = (said: string, rest: object = {}): object => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text: said }] }, ...rest }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'r1',
  })
  const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
  return {
    plain: JSON.stringify(chunk(text, { finishReason: 'STOP' })),
    pieces: [data(chunk('partial ')), data(chunk(text)), data(chunk('', { finishReason: 'STOP' }))],
    errorEvent: (status) => data({ error: { code: Number(status), message: 'no', status: 'UNAVAILABLE' } }),
  }
}
/** Answers by the end of the path that asks for them. */
const answersBy: readonly [RegExp, (text: string) => Answer][] = [
  [/\/messages$/, anthropic],
  [/\/responses$/, responses],
  [/enerateContent/, gemini],
  [/./, openAi],
]

async function sendSlowly(turn: UpstreamTurn, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    await wait(slowMs)
    turn.response.write(piece)
  }
  turn.response.end()
}

async function failEarly(turn: UpstreamTurn, fault: Fault, answer: Answer, isStream: boolean): Promise<void> {
  if (fault === 'cut' || fault === 'refused') turn.reset()
  else if (fault === 'stall') await turn.closed()
  else if (fault === 'slow') {
    await wait(slowMs)
    giveAnswer(turn, answer, isStream)
  } else if (fault === 'malformed') {
    if (isStream) turn.events(`data: ${bad}\n\n`)
    else turn.response.writeHead(200, { 'content-type': 'application/json' }).end(bad)
  } else turn.json(Number(fault), { error: { message: 'no', type: 'server_error' } })
}

async function failLate(turn: UpstreamTurn, fault: Fault, answer: Answer, isStream: boolean): Promise<void> {
  const half = answer.plain.slice(0, answer.plain.length >> 1)
  const [first = '', ...rest] = isStream ? answer.pieces : [half, answer.plain.slice(half.length)]
  if (isStream) turn.events(first)
  else turn.response.writeHead(200, { 'content-type': 'application/json' }).write(first)
  await wait(10)
  if (fault === 'cut') turn.reset()
  else if (fault === 'stall') await turn.closed()
  else if (fault === 'slow') await sendSlowly(turn, rest)
  else if (!isStream) turn.response.end(bad)
  else if (fault === 'malformed') {
    turn.response.write(`data: ${bad}\n\n`)
    await wait(10)
    turn.response.end(rest.join(''))
  } else turn.response.end(answer.errorEvent(fault))
}

function giveAnswer(turn: UpstreamTurn, { plain, pieces }: Answer, isStream: boolean): void {
  if (!isStream) {
    turn.response.writeHead(200, { 'content-type': 'application/json' }).end(plain)
    return
  }
  turn.events(pieces.join(''))
  turn.response.end()
}

/** An upstream that fails as the text of the call says (`fault=cut-after`), else answers with this text. */
export function failing(text: string, isAsked = true): Script {
  return async (turn) => {
    if (turn.request.method === 'GET') return turn.json(401, { error: { message: 'no key' } })
    const { path, json } = turn.request
    const isStream = json.stream === true || path.includes(':streamGenerateContent')
    const answer = (answersBy.find(([end]) => end.test(path))?.[1] ?? openAi)(text)
    const [, fault, moment] = /fault=(\w+)-(before|after)/.exec(turn.request.text) ?? []
    if (!isAsked || fault === undefined) giveAnswer(turn, answer, isStream)
    else if (moment === 'before') await failEarly(turn, fault as Fault, answer, isStream)
    else await failLate(turn, fault as Fault, answer, isStream)
  }
}
