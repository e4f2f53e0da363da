import { createServer } from 'node:http'

/** A provider in the OpenAI chat format that answers at once: plain, or as a paced stream. Prints its port. */
const plain = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'gpt-5-mini',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'All is well on the line. '.repeat(28).trim(), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 210, completion_tokens: 140, total_tokens: 350 },
  }),
)
const chunk = (content: string): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'gpt-5-mini',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  })}\n\n`
/** One event of about 200 bytes. */
const event = chunk('x'.repeat(60))
const ending = `data: ${JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_790_000_000,
  model: 'gpt-5-mini',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
})}\n\ndata: [DONE]\n\n`

let open = 0
const server = createServer((request, response) => {
  if (request.url === '/open') {
    response.end(String(open))
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (data: Buffer) => chunks.push(data))
  request.on('end', () => {
    if (!Buffer.concat(chunks).includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length })
      response.end(plain)
      return
    }
    const pace = Number(process.argv[3] ?? 200)
    const count = Number(process.argv[4] ?? 100_000)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    open++
    let sent = 0
    const timer = setInterval(() => {
      sent++
      response.write(event)
      if (sent >= count) response.end(ending)
    }, pace)
    response.on('close', () => {
      open--
      clearInterval(timer)
    })
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
