import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** Prices of its models in USD per million tokens, on purpose none that makes whole nano-dollars. */
export const billedPrices = { input: 3.3337, output: 15.7771 } as const
/** Pico-dollars per token. */
export interface BilledPrices {
  readonly input: bigint
  readonly cacheRead: bigint
  readonly output: bigint
}
const standardPrices: BilledPrices = { input: 3_333_700n, cacheRead: 3_333_700n, output: 15_777_100n }
const charsPerToken = 4
/** Each token of an answer. */
const word = 'word '

/** How a request fares: a provider that fails does so before it bills, or after it began. */
export type Way = 'ok' | 'cached' | 'busy' | 'broken' | 'noUsage'

/** What one request is billed. */
export interface BillRow {
  /** As the caller named its call in the prompt. */
  readonly name: string
  readonly nanoUsd: bigint
  readonly tokens: bigint
  /** The answer ended as it should; else it broke off, and what was made until then is billed. */
  readonly isWhole: boolean
  /** What its output comes to at most for one who sees bytes only, and takes each for a token. */
  readonly shown: { readonly usd: bigint; readonly tokens: bigint }
}
/** A provider whose bill is known to the nano-dollar; the gateway under test never sees it. */
export interface BillingUpstream {
  readonly url: string
  readonly rows: readonly BillRow[]
  /** Sum of the rows whose names begin so, in nano-dollars or tokens. */
  bill(prefix: string, unit?: 'usd' | 'tokens'): bigint
  /** From the next request on a model costs this. */
  setPrices(prices: Readonly<Record<string, BilledPrices>>): void
  /** Requests under way. */
  readonly running: number
  close(): Promise<void>
}

/** A prompt that says to this upstream what to answer: its size in tokens, and how slowly a stream comes. */
export function promptFor(
  name: string,
  options: { readonly tokens: number; readonly paceMs?: number; readonly way?: Way },
) {
  return `${name} tokens=${options.tokens} pace=${options.paceMs ?? 0} way=${options.way ?? 'ok'}`
}

/** Our own sum, by the price list alone: rounded up once. */
function cost({ prices, input, way }: Asked, output: number): bigint {
  const cached = way === 'cached' ? Math.floor(input / 2) : 0
  const inputs = BigInt(input - cached) * prices.input + BigInt(cached) * prices.cacheRead
  return (inputs + BigInt(output) * prices.output + 999n) / 1000n
}

interface Asked {
  readonly name: string
  readonly model: string
  readonly input: number
  readonly output: number
  readonly paceMs: number
  readonly isStream: boolean
  readonly isLimited: boolean
  readonly way: Way
  readonly prices: BilledPrices
}
type PriceList = ReadonlyMap<string, BilledPrices>

async function read(incoming: IncomingMessage, list: PriceList): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const body = JSON.parse(text) as Record<string, unknown>
  const [, name = '', tokens = '1', pace = '0', way = 'ok'] =
    /([\w-]+) tokens=(\d+) pace=(\d+) way=(\w+)/.exec(text) ?? []
  // Only the shaky connection fails; what the caller asked for is done by the others.
  const isShaky = incoming.url?.startsWith('/shaky/') === true
  const limit = Number(body.max_tokens ?? body.max_completion_tokens ?? Number.POSITIVE_INFINITY)
  return {
    ...{ name, model: String(body.model), input: Math.ceil(text.length / charsPerToken) },
    ...{ output: Math.min(Number(tokens), limit), paceMs: Number(pace), isStream: body.stream === true },
    isLimited: Number(tokens) > limit,
    way: isShaky || way === 'cached' ? (way as Way) : 'ok',
    prices: list.get(String(body.model)) ?? standardPrices,
  }
}

const usageOf = ({ input, output, way }: Asked) => ({
  ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  ...(way === 'cached' && { prompt_tokens_details: { cached_tokens: Math.floor(input / 2) } }),
})
const head = (asked: Asked) => ({ id: `chatcmpl-${asked.name}`, created: 1_790_000_000, model: asked.model })

function answerWhole(asked: Asked, response: ServerResponse): void {
  const message = { role: 'assistant', content: word.repeat(asked.output) }
  const finish = asked.isLimited ? 'length' : 'stop'
  response.writeHead(200, { 'content-type': 'application/json' })
  const choices = [{ index: 0, message, finish_reason: finish }]
  const usage = asked.way === 'noUsage' ? {} : { usage: usageOf(asked) }
  response.end(JSON.stringify({ ...head(asked), object: 'chat.completion', choices, ...usage }))
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
    send(delta(word.repeat(part)))
    if (asked.way === 'broken' && made * 2 >= asked.output) {
      response.socket?.resetAndDestroy()
      return made
    }
    if (asked.paceMs > 0) await wait(asked.paceMs)
    else await new Promise((resolve) => setImmediate(resolve))
  }
  if (response.destroyed) return made
  send({ choices: [{ index: 0, delta: {}, finish_reason: asked.isLimited ? 'length' : 'stop' }] })
  if (asked.way !== 'noUsage') send({ choices: [], usage: usageOf(asked) })
  response.end('data: [DONE]\n\n')
  return made
}

export async function startBillingUpstream(): Promise<BillingUpstream> {
  const rows: BillRow[] = []
  let running = 0
  const prices = new Map<string, BilledPrices>()
  const book = (asked: Asked, output: number, isWhole: boolean): void => {
    const tokens = BigInt(asked.input + output)
    const bytes = BigInt(output * word.length)
    const shown = { usd: (bytes * asked.prices.output + 999n) / 1000n, tokens: bytes }
    rows.push({ name: asked.name, nanoUsd: cost(asked, output), tokens, isWhole, shown })
  }
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(incoming, prices)
    if (asked.way === 'busy') {
      response.writeHead(503, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: 'busy', type: 'server_error', code: null } }))
      return
    }
    // From here on somebody pays, whoever goes away.
    if (asked.isStream) {
      const made = await answerStream(asked, response)
      book(asked, made, !response.destroyed)
      return
    }
    if (asked.paceMs > 0) await wait(asked.paceMs * Math.ceil(asked.output / 8))
    book(asked, asked.output, !response.destroyed)
    if (asked.way === 'broken') response.socket?.resetAndDestroy()
    else answerWhole(asked, response)
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
    bill: (prefix, unit = 'usd') =>
      rows
        .filter(({ name }) => name.startsWith(prefix))
        .reduce((sum, row) => sum + (unit === 'usd' ? row.nanoUsd : row.tokens), 0n),
    setPrices(list) {
      for (const [model, each] of Object.entries(list)) prices.set(model, each)
    },
    get running() {
      return running
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
