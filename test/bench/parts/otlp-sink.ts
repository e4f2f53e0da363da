import { createServer } from 'node:http'

/** An OTLP endpoint that counts bytes and answers well. Prints its port; `GET /` says what came. */
let requests = 0
let bytes = 0
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ requests, bytes }))
    return
  }
  request.on('data', (data: Buffer) => {
    bytes += data.length
  })
  request.on('end', () => {
    requests++
    response.writeHead(200, { 'content-type': 'application/x-protobuf' })
    response.end()
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
