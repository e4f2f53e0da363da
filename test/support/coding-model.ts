import { LLMock } from '@copilotkit/aimock'

/** One turn of the model: text, or one call of a tool of the agent's. */
export type Turn =
  | { readonly text: string }
  | { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> }

type Request = Parameters<Extract<Parameters<LLMock['on']>[1], (...all: never[]) => unknown>>[0]

/** A provider in every vendor's format whose answers are written beforehand. */
export interface CodingModel {
  readonly url: string
  /** What it does in a conversation whose prompt holds the mark: its n-th turn after n results of tools. */
  play(mark: string, ...turns: Turn[]): void
  stop(): Promise<void>
}

const usage = {
  prompt_tokens: 1200,
  completion_tokens: 34,
  total_tokens: 1234,
  input_tokens: 1200,
  output_tokens: 34,
}
/** What it counts in any request. */
export const countedTokens = 4321
/** What it says where it is asked something beside the task: titles, summaries, which model to take. */
const beside =
  '{"title":"A short title","reasoning":"It is simple.","model_choice":"flash","complexity_score":10}'

function textOf({ content }: Request['messages'][number]): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => part.text ?? '').join('\n')
}

/** Starts one on 127.0.0.1. */
export async function startCodingModel(): Promise<CodingModel> {
  const scripts = new Map<string, readonly Turn[]>()
  const server = new LLMock({ port: 0, chunkSize: 20 })
  server.onMessage(/[\s\S]*/, (request) => {
    const texts = request.messages.map((message) => ({ role: message.role, text: textOf(message) }))
    const last = texts.findLastIndex(({ text }) => [...scripts.keys()].some((mark) => text.includes(mark)))
    const script = [...scripts].find(([mark]) => texts[last]?.text.includes(mark))?.[1]
    if (script === undefined || (request.tools ?? []).length === 0) return { content: beside, usage }
    const results = texts.slice(last).filter(({ role }) => role === 'tool').length
    const turn = script[Math.min(results, script.length - 1)]
    if (turn === undefined) return { content: 'Nothing was written for this turn.', usage }
    if ('text' in turn) return { content: turn.text, usage }
    return { toolCalls: [{ name: turn.tool, arguments: JSON.stringify(turn.arguments) }], usage }
  })
  server.mount('/v1/messages/count_tokens', {
    async handleRequest(incoming, outgoing) {
      incoming.resume()
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify({ input_tokens: countedTokens }))
      return true
    },
  })
  await server.start()
  return {
    url: server.url,
    play: (mark, ...turns) => void scripts.set(mark, turns),
    stop: () => server.stop(),
  }
}
