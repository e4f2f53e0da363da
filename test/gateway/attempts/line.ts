import type { CallRecord, PlanNode } from '@signalbox/sdk/contract'
import { allow } from '../../support/memory-snapshot.ts'
import { chatCompletion, chatStream, type Script } from '../../support/scripted-upstream.ts'
import { type Line, question } from '../line.ts'

/** An answer that says who gave it, plain or as a stream, as it was asked for. */
export const answers =
  (text: string): Script =>
  (turn) => {
    if (turn.request.method === 'GET') turn.json(401, { error: { message: 'no key' } })
    else if (turn.request.json.stream !== true) turn.json(200, chatCompletion(text))
    else {
      turn.events(chatStream(text).join(''))
      turn.response.end()
    }
  }
export const refuses =
  (status: number, headers: Record<string, string> = {}): Script =>
  (turn) =>
    turn.json(status, { error: { message: 'no', type: 'server_error' } }, headers)

export const primary = 'openai/gpt-5.2'
export const spare = 'spare/gpt-5-mini'

export interface Told {
  readonly response: Response
  readonly text: string
  readonly record: CallRecord
  readonly ms: number
}

/** Sends a call that is decided with this plan. */
export async function sendPlan(
  line: Line,
  plan: PlanNode,
  options: {
    body?: object
    headers?: Record<string, string>
    rest?: Parameters<typeof allow>[1]
  } = {},
): Promise<Told> {
  const { body = {}, headers = {}, rest = {} } = options
  line.gateway.snapshot = line.snapshotOf({ decide: () => allow(plan, rest) })
  const count = line.gateway.records.length + 1
  const startMs = performance.now()
  const response = await line.gateway.send(
    '/v1/chat/completions',
    { model: primary, ...question, ...body },
    { headers },
  )
  const text = await response.text()
  const ms = performance.now() - startMs
  return { response, text, record: await line.gateway.lastRecord(count), ms }
}

export const contentOf = (text: string): string => JSON.parse(text).choices[0].message.content
export const outcomesOf = ({ body }: CallRecord): string[] =>
  body.attempts.map(({ target, outcome, cause }) => [target, outcome, ...(cause ? [cause] : [])].join(' '))
