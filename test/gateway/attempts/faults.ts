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
    const isStream = turn.request.json.stream === true
    const answer = (turn.request.path.endsWith('/messages') ? anthropic : openAi)(text)
    const [, fault, moment] = /fault=(\w+)-(before|after)/.exec(turn.request.text) ?? []
    if (!isAsked || fault === undefined) giveAnswer(turn, answer, isStream)
    else if (moment === 'before') await failEarly(turn, fault as Fault, answer, isStream)
    else await failLate(turn, fault as Fault, answer, isStream)
  }
}
