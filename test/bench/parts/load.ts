import { connect, type Socket } from 'node:net'

/**
 * HTTP/1.1 load over keep-alive sockets, bounded in time. Closed loop: each connection sends when it has its answer.
 * Open loop (`rate`): sends at fixed times whatever the answers do, so waiting counts as latency.
 * Takes one JSON argument, prints one JSON line.
 */
interface Job {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
  readonly connections: number
  readonly seconds: number
  /** Requests per second; 0 is a closed loop. */
  readonly rate: number
}
const job = JSON.parse(process.argv[2] ?? '{}') as Job

function bodyOf(bytes: number): string {
  const filler =
    'Please read the following part of the log and say which signal was at danger, and since when. '
  const messages = [
    { role: 'system', content: 'You are a signaller.' },
    { role: 'user', content: '' },
  ]
  const frame = { model: 'openai/gpt-5-mini', temperature: 0.2, max_tokens: 400, messages }
  const room = Math.max(0, bytes - JSON.stringify(frame).length)
  messages[1] = { role: 'user', content: filler.repeat(Math.ceil(room / filler.length)).slice(0, room) }
  return JSON.stringify(frame)
}

const body = bodyOf(job.bodyBytes)
const head = Object.entries(job.headers)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')
const message = Buffer.from(
  `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
)

const latenciesUs: number[] = []
let errors = 0
let stopped = false

/** Length of a whole answer at the start of `data`; 0 while it is not whole. */
function answerLength(data: Buffer): number {
  const end = data.indexOf('\r\n\r\n')
  if (end === -1) return 0
  const text = data.toString('latin1', 0, end)
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  if (length !== undefined) return data.length >= end + 4 + Number(length) ? end + 4 + Number(length) : 0
  const last = data.indexOf('\r\n0\r\n\r\n', end)
  return last === -1 ? 0 : last + 7
}

class Line {
  readonly #socket: Socket
  #data: Buffer = Buffer.alloc(0)
  #sentAt: number[] = []

  constructor(onAnswer: () => void) {
    this.#socket = connect(job.port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('error', () => {
      errors++
    })
    this.#socket.on('data', (data: Buffer) => {
      this.#data = this.#data.length === 0 ? data : Buffer.concat([this.#data, data])
      for (let length = answerLength(this.#data); length > 0; length = answerLength(this.#data)) {
        if (this.#data.toString('latin1', 9, 12) !== '200') errors++
        this.#data = this.#data.subarray(length)
        latenciesUs.push((performance.now() - (this.#sentAt.shift() ?? 0)) * 1000)
        onAnswer()
      }
    })
  }

  get idle(): boolean {
    return this.#sentAt.length === 0
  }

  send(at: number): void {
    this.#sentAt.push(at)
    this.#socket.write(message)
  }

  close(): void {
    this.#socket.destroy()
  }
}

function runClosedLoop(): Line[] {
  return Array.from({ length: job.connections }, () => {
    const line: Line = new Line(() => {
      if (!stopped) line.send(performance.now())
    })
    line.send(performance.now())
    return line
  })
}

/** Requests that find no idle connection wait, and their waiting counts. */
function runOpenLoop(): Line[] {
  const waiting: number[] = []
  const lines: Line[] = Array.from({ length: job.connections }, () => {
    const line: Line = new Line(() => {
      const due = waiting.shift()
      if (due !== undefined && !stopped) line.send(due)
    })
    return line
  })
  const startedAt = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    if (stopped) return clearInterval(timer)
    const now = performance.now()
    for (const due = () => startedAt + (sent * 1000) / job.rate; due() <= now; sent++) {
      const line = lines.find((each) => each.idle)
      if (line === undefined) waiting.push(due())
      else line.send(due())
    }
  }, 1)
  return lines
}

const startedAt = performance.now()
const lines = job.rate > 0 ? runOpenLoop() : runClosedLoop()
setTimeout(() => {
  stopped = true
  const seconds = (performance.now() - startedAt) / 1000
  for (const line of lines) line.close()
  const sorted = latenciesUs.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0)
  const result = {
    count: sorted.length,
    errors,
    perSecond: sorted.length / seconds,
    p50Us: at(0.5),
    p99Us: at(0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exit(0)
}, job.seconds * 1000)
