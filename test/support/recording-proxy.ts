import { createServer, type IncomingHttpHeaders, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** What came back, as soon as it began. */
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined
}
/** Stands before an upstream, passes everything on as it is, and remembers what came. */
export interface RecordingProxy {
  readonly url: string
  readonly seen: readonly SeenRequest[]
  close(): void
}

export async function startRecordingProxy(upstream: string): Promise<RecordingProxy> {
  const seen: SeenRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (data: Buffer) => chunks.push(data))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const { url = '/', method = 'GET', headers } = incoming
      const request: SeenRequest = { method, url, headers, body: body.toString('utf8'), answer: undefined }
      seen.push(request)
      const passed = send(new URL(url, upstream), { method, headers }, (answer) => {
        request.answer = { status: answer.statusCode ?? 0, headers: answer.headers }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      passed.on('error', () => outgoing.destroy())
      outgoing.on('close', () => passed.destroy())
      passed.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
