import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'

/** The least that a Node proxy can do: node:http in front, undici behind, bytes as they are. Prints its port. */
const pool = new Pool(process.argv[2] ?? '', { connections: 64, pipelining: 1 })

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  pool.dispatch(
    {
      method: 'POST',
      path: request.url ?? '/',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
    },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        response.writeHead(status, {
          'content-type': String(headers['content-type']),
          ...(headers['content-length'] === undefined
            ? {}
            : { 'content-length': String(headers['content-length']) }),
        })
      },
      onResponseData(controller, data) {
        if (!response.write(data)) {
          controller.pause()
          response.once('drain', () => controller.resume())
        }
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        response.destroy()
      },
    },
  )
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (data: Buffer) => chunks.push(data))
  request.on('end', () =>
    forward(request, response, chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)),
  )
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
