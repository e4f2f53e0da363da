import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findLocalServers } from '../../../policies/cli/local-servers.ts'

const answers: Readonly<Record<string, string | undefined>> = {
  '/ollama/models': '{"object":"list","data":[{"id":"llama3.3"},{"id":"qwen3"}]}',
  '/vllm/models': '<h1>Somebody else lives here</h1>',
  '/llamacpp/models': '{"data":["no model"]}',
}
let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const text = answers[request.url ?? '']
    if (text !== undefined) response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('findLocalServers', () => {
  it('finds a server that lists models, and waits for none that is silent', async () => {
    const startMs = performance.now()
    const found = await findLocalServers(['ollama', 'vllm', 'llamacpp', 'silent'], (id) => `${url}/${id}`)
    expect(found).toEqual([{ id: 'ollama', baseUrl: `${url}/ollama`, models: 2 }])
    expect(performance.now() - startMs).toBeLessThan(1500)
  })

  it('asks nobody but this machine', async () => {
    expect(await findLocalServers(['x'], () => 'http://192.0.2.1:11434/v1')).toEqual([])
  })
})
