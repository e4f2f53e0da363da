import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** Prices of its models in USD per million tokens, on purpose none that makes whole nano-dollars. */
export const billedPrices = { input: 3.3337, output: 15.7771 } as const
const inputPico = 3_333_700n
const outputPico = 15_777_100n
const charsPerToken = 4

/** What one request is billed. */
export interface BillRow {
  /** As the caller named its call in the prompt. */
  readonly name: string
  readonly nanoUsd: bigint
  /** The answer ended as it should; else it broke off, and what was made until then is billed. */
  readonly isWhole: boolean
}
/** A provider whose bill is known to the nano-dollar; the gateway under test never sees it. */
export interface BillingUpstream {
  readonly url: string
  readonly rows: readonly BillRow[]
  /** Sum of the rows whose names begin so. */
  bill(prefix: string): bigint
  /** Requests under way. */
  readonly running: number
  close(): Promise<void>
}

/** A prompt that says to this upstream what to answer: its size in tokens, and how slowly a stream comes. */
export function promptFor(name: string, options: { readonly tokens: number; readonly paceMs?: number }) {
  return `${name} tokens=${options.tokens} pace=${options.paceMs ?? 0}`
}

/** Our own sum, by the price list alone: rounded up once. */
const cost = (input: number, output: number): bigint =>
  (BigInt(input) * inputPico + BigInt(output) * outputPico + 999n) / 1000n

interface Asked {
  readonly name: string
  readonly model: string
  readonly input: number
  readonly output: number
  readonly paceMs: number
  readonly isStream: boolean
  readonly isLimited: boolean
}

async function read(incoming: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const body = JSON.parse(text) as Record<string, unknown>
  const [, name = '', tokens = '1', pace = '0'] = /([\w-]+) tokens=(\d+) pace=(\d+)/.exec(text) ?? []
  const limit = Number(body.max_tokens ?? body.max_completion_tokens ?? Number.POSITIVE_INFINITY)
  return {
    ...{ name, model: String(body.model), input: Math.ceil(text.length / charsPerToken) },
    ...{ output: Math.min(Number(tokens), limit), paceMs: Number(pace), isStream: body.stream === true },
    isLimited: Number(tokens) > limit,
  }
}

const usageOf = ({ input, output }: Asked) => ({
  ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
})
const head = (asked: Asked) => ({ id: `chatcmpl-${asked.name}`, created: 1_790_000_000, model: asked.model })

function answerWhole(asked: Asked, response: ServerResponse): void {
  const message = { role: 'assistant', content: 'word '.repeat(asked.output) }
  const finish = asked.isLimited ? 'length' : 'stop'
  response.writeHead(200, { 'content-type': 'application/json' })
  const choices = [{ index: 0, message, finish_reason: finish }]
  response.end(JSON.stringify({ ...head(asked), object: 'chat.completion', choices, usage: usageOf(asked) }))
}

/** Gives the tokens that were made before the other side went away. */
async function answerStream(asked: Asked, response: ServerResponse): Promise<number> {
  const send = (rest: object): void => {
    response.write(
      `data: ${JSON.stringify({ ...head(asked), object: 'chat.completion.chunk', ...rest })}\n\n`,
    )
  }
  const delta = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let made = 0
  while (made < asked.output && !response.destroyed) {
    const part = Math.min(8, asked.output - made)
    made += part
    send(delta('word '.repeat(part)))
    if (asked.paceMs > 0) await wait(asked.paceMs)
    else await new Promise((resolve) => setImmediate(resolve))
  }
  if (response.destroyed) return made
  send({ choices: [{ index: 0, delta: {}, finish_reason: asked.isLimited ? 'length' : 'stop' }] })
  send({ choices: [], usage: usageOf(asked) })
  response.end('data: [DONE]\n\n')
  return made
}

export async function startBillingUpstream(): Promise<BillingUpstream> {
  const rows: BillRow[] = []
  let running = 0
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(incoming)
    // From here on somebody pays, whoever goes away.
    if (asked.isStream) {
      const made = await answerStream(asked, response)
      const isWhole = !response.destroyed
      rows.push({ name: asked.name, nanoUsd: cost(asked.input, made), isWhole })
      return
    }
    if (asked.paceMs > 0) await wait(asked.paceMs * Math.ceil(asked.output / 8))
    rows.push({ name: asked.name, nanoUsd: cost(asked.input, asked.output), isWhole: !response.destroyed })
    answerWhole(asked, response)
  }
  const server = createServer((incoming, response) => {
    running++
    serve(incoming, response)
      .catch(() => response.destroy())
      .finally(() => {
        running--
      })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    rows,
    bill: (prefix) => rows.reduce((sum, row) => (row.name.startsWith(prefix) ? sum + row.nanoUsd : sum), 0n),
    get running() {
      return running
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
