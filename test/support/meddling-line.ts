import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { SeededRandom } from './seeded-random.ts'

/** What a network can do to a report: deliver it twice, late and after its successors, or lose it or its answer. */
export const meddlings = ['duplicate', 'reorder', 'lostReply', 'lostRequest'] as const
export type Meddling = (typeof meddlings)[number]

/** A line between gateways and control plane that meddles with what concerns money. */
export interface MeddlingLine {
  readonly url: string
  /** How often each was done. */
  readonly counts: Record<Meddling, number>
  /** Share of the requests to the ledger that are meddled with; 0 at first. */
  share: number
  /** Nothing gets through, as on a network that is parted. */
  isCut: boolean
  /** Resolves when nothing that was held back is still to come. */
  quiet(): Promise<void>
  close(): Promise<void>
}

const lateMsMax = 4000
interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Sends a request on as it came. @throws Error where the other end is not there. */
function forward(to: URL, incoming: IncomingMessage, body: Buffer, gone: AbortSignal): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const { method, url: path, headers } = incoming
  const options = { host: to.hostname, port: to.port, method, path, headers, agent: false, signal: gone }
  const sent = request(options, (reply) => {
    bodyOf(reply).then(
      (whole) => resolve({ status: reply.statusCode ?? 502, headers: reply.headers, body: whole }),
      reject,
    )
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

/** @param random decides which request is meddled with, and how. */
export async function openMeddlingLine(planeUrl: string, random: SeededRandom): Promise<MeddlingLine> {
  const to = new URL(planeUrl)
  const counts = { duplicate: 0, reorder: 0, lostReply: 0, lostRequest: 0 }
  const late = new Set<Promise<unknown>>()

  /** Delivers a copy some time later; nobody hears the answer. */
  const deliverLate = (incoming: IncomingMessage, body: Buffer): void => {
    const { method = 'POST', url = '/', headers } = incoming
    const { authorization = '', 'content-type': type = 'application/json' } = headers
    const sending = wait(random.next() * lateMsMax)
      .then(() =>
        fetch(new URL(url, to), {
          method,
          body: new Uint8Array(body),
          headers: { authorization, 'content-type': type },
        }),
      )
      .then((reply) => reply.arrayBuffer())
      .catch(() => undefined)
      .finally(() => late.delete(sending))
    late.add(sending)
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming)
    const isMoney = /^\/v1\/gateway\/(leases|settlements)/.test(incoming.url ?? '')
    const meddling = isMoney && random.chance(line.share) ? random.pick(meddlings) : undefined
    const isWish = incoming.url?.endsWith('/leases') === true
    if (meddling !== undefined) counts[meddling]++
    // Nothing between two programs sends a request twice that was answered; what was not may still arrive.
    if (meddling === 'reorder' || (meddling === 'duplicate' && !isWish)) deliverLate(incoming, body)
    // What comes late was not heard of before: its sender says it again, with newer sums.
    if (line.isCut || meddling === 'reorder' || meddling === 'lostRequest') {
      response.socket?.destroy()
      return
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const reply = await forward(to, incoming, body, gone.signal)
    if (meddling === 'lostReply' || line.isCut) {
      response.socket?.destroy()
      return
    }
    const { connection: _, 'transfer-encoding': __, ...headers } = reply.headers
    response.writeHead(reply.status, headers)
    response.end(reply.body)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.socket?.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const line: MeddlingLine = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    share: 0,
    isCut: false,
    async quiet() {
      while (late.size > 0) await Promise.all(late)
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return line
}
