import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a provider does with a line: its answer, or that it never came to it. */
export type LineFate = 'done' | 'failed' | 'left'

interface KeptBatch {
  readonly id: string
  readonly kind: 'openai' | 'anthropic'
  readonly inputId: string
  readonly lines: readonly { readonly id: string; readonly model: string }[]
  status: 'running' | 'completed' | 'cancelled' | 'expired' | 'failed'
  fates: readonly LineFate[]
}

/** OpenAI's files and batches and Anthropic's message batches on a real socket, ended when the test says so. */
export interface BatchUpstream {
  readonly url: string
  /** Every request: method and path. */
  readonly seen: string[]
  /** Bodies of new batches as they came. */
  readonly created: string[]
  /** Puts a file there, as if it had been uploaded. */
  keep(lines: readonly object[]): string
  /** Ends a batch, with the fate of each of its lines; what is left out is done. */
  end(id: string, status: Exclude<KeptBatch['status'], 'running'>, fates?: readonly LineFate[]): void
  /** Answers the next requests whose path matches with this status. */
  break(path: RegExp, status: number, times: number): void
  close(): Promise<void>
}

/** Every line that is done takes 100 tokens of input and 10 of output. */
export const lineUsage = { input: 100, output: 10 } as const
/** All batches end at once, whenever that is looked at. */
const endedS = Math.floor(Date.now() / 1000)

function openAiLine({ id, model }: KeptBatch['lines'][number], fate: LineFate): object {
  const usage = { prompt_tokens: lineUsage.input, completion_tokens: lineUsage.output, total_tokens: 110 }
  const done = { status_code: 200, body: { object: 'chat.completion', model: `${model}-2026-01-01`, usage } }
  const failed = { status_code: 400, body: { error: { message: 'no' } } }
  return { id: `r_${id}`, custom_id: id, response: fate === 'done' ? done : failed, error: null }
}

function anthropicLine({ id, model }: KeptBatch['lines'][number], fate: LineFate): object {
  const usage = { input_tokens: lineUsage.input, output_tokens: lineUsage.output }
  const message = { type: 'message', role: 'assistant', model, content: [], usage }
  const result =
    fate === 'done' ? { type: 'succeeded', message } : { type: fate === 'left' ? 'expired' : 'errored' }
  return { custom_id: id, result }
}

class Keeping {
  readonly files = new Map<string, string>()
  readonly batches = new Map<string, KeptBatch>()
  readonly created: string[] = []
  readonly breaks: { readonly path: RegExp; readonly status: number; times: number }[] = []
  #count = 0

  id(prefix: string): string {
    return `${prefix}${++this.#count}`
  }

  createOpenAi(text: string): KeptBatch {
    const { input_file_id: inputId } = JSON.parse(text) as { input_file_id: string }
    const lines = (this.files.get(inputId) ?? '').split('\n').filter((line) => line !== '')
    const read = lines.map((line) => {
      const { custom_id: id, body } = JSON.parse(line) as { custom_id: string; body: { model: string } }
      return { id, model: body.model }
    })
    return this.#add({
      id: this.id('batch_'),
      kind: 'openai',
      inputId,
      lines: read,
      status: 'running',
      fates: [],
    })
  }

  createAnthropic(text: string): KeptBatch {
    const { requests } = JSON.parse(text) as {
      requests: { custom_id: string; params: { model: string } }[]
    }
    const lines = requests.map(({ custom_id: id, params }) => ({ id, model: params.model }))
    return this.#add({
      id: this.id('msgbatch_'),
      kind: 'anthropic',
      inputId: '',
      lines,
      status: 'running',
      fates: [],
    })
  }

  #add(batch: KeptBatch): KeptBatch {
    this.batches.set(batch.id, batch)
    return batch
  }

  view({ id, kind, inputId, status, lines }: KeptBatch): object {
    const isOver = status !== 'running'
    if (kind === 'anthropic') {
      const request_counts = { succeeded: lines.length, expired: status === 'expired' ? 1 : 0 }
      const cancel = status === 'cancelled' ? { cancel_initiated_at: '2026-11-18T00:00:00Z' } : {}
      const ended_at = isOver ? new Date(endedS * 1000).toISOString() : null
      return {
        id,
        type: 'message_batch',
        processing_status: isOver ? 'ended' : 'in_progress',
        request_counts,
        ended_at,
        ...cancel,
      }
    }
    const name = isOver ? status : 'in_progress'
    const ends = isOver ? { [`${status}_at`]: endedS, output_file_id: `file-of-${id}` } : {}
    return { id, object: 'batch', status: name, input_file_id: inputId, ...ends }
  }

  results({ kind, lines, fates }: KeptBatch): string {
    const written = lines.flatMap((line, index) => {
      const fate = fates[index] ?? 'done'
      if (kind === 'anthropic') return [anthropicLine(line, fate)]
      return fate === 'left' ? [] : [openAiLine(line, fate)]
    })
    return written.map((line) => `${JSON.stringify(line)}\n`).join('')
  }
}

function answer(kept: Keeping, request: IncomingMessage, text: string): readonly [number, unknown] {
  const url = (request.url ?? '').split('?')[0] ?? ''
  const broken = kept.breaks.find(({ path, times }) => times > 0 && path.test(url))
  if (broken !== undefined) {
    broken.times--
    return [broken.status, { error: { message: 'broken' } }]
  }
  if (request.method === 'POST' && url === '/v1/files') {
    const id = kept.id('file-')
    kept.files.set(id, /\r\n\r\n(\{[\s\S]*?)\r\n--/.exec(text)?.[1] ?? '')
    return [200, { id, object: 'file', purpose: 'batch' }]
  }
  const [, file] = /^\/v1\/files\/([^/]+)\/content$/.exec(url) ?? []
  if (file !== undefined) {
    const batch = kept.batches.get(file.replace('file-of-', ''))
    const content = batch === undefined ? kept.files.get(file) : kept.results(batch)
    return content === undefined ? [404, {}] : [200, content]
  }
  if (request.method === 'POST' && (url === '/v1/batches' || url === '/v1/messages/batches')) {
    kept.created.push(text)
    const batch = url === '/v1/batches' ? kept.createOpenAi(text) : kept.createAnthropic(text)
    return [200, kept.view(batch)]
  }
  const [, id, tail] = /^\/v1\/(?:messages\/)?batches\/([^/]+)(\/\w+)?$/.exec(url) ?? []
  const batch = kept.batches.get(id ?? '')
  if (batch === undefined) return [404, { error: { message: 'nothing' } }]
  if (request.method === 'DELETE') kept.batches.delete(batch.id)
  if (tail === '/cancel') batch.status = 'cancelled'
  return [200, tail === '/results' ? kept.results(batch) : kept.view(batch)]
}

function send(response: ServerResponse, [status, value]: readonly [number, unknown]): void {
  const isText = typeof value === 'string'
  response.writeHead(status, { 'content-type': isText ? 'application/jsonl' : 'application/json' })
  response.end(isText ? value : JSON.stringify(value))
}

export async function startBatchUpstream(): Promise<BatchUpstream> {
  const kept = new Keeping()
  const seen: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push(`${request.method} ${request.url}`)
      send(response, answer(kept, request, Buffer.concat(chunks).toString('utf8')))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    created: kept.created,
    keep(lines) {
      const id = kept.id('file-')
      kept.files.set(id, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      return id
    },
    end(id, status, fates = []) {
      const batch = kept.batches.get(id)
      if (batch !== undefined) Object.assign(batch, { status, fates })
    },
    break: (path, status, times) => void kept.breaks.push({ path, status, times }),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
