import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../support/gateway-alone.ts', import.meta.url))
const imageBytes = 20_000_000
/** The most that a gateway holds for each byte of a body, several of which come one after another. */
const copiesMax = { passed: 12, translated: 14 }

let upstream: Server
beforeAll(async () => {
  const answers = {
    chat: { id: 'c1', choices: [{ index: 0, message: { content: 'Read.' }, finish_reason: 'stop' }] },
    messages: { id: 'm1', content: [{ type: 'text', text: 'Read.' }], stop_reason: 'end_turn' },
  }
  upstream = createServer((request, response) => {
    request.resume().on('end', () => {
      const isMessages = request.url?.includes('/messages') === true
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isMessages ? answers.messages : answers.chat))
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => upstream.close(resolve)))

it('of 20 MB is not held many times over, as it is or translated', async () => {
  const { port } = upstream.address() as AddressInfo
  const child = spawn(process.execPath, [program, `http://127.0.0.1:${port}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const read = async (): Promise<string> => String((await lines.next()).value)
    const [url = '', key = ''] = (await read()).split(' ')
    const mostBytes = async (): Promise<number> => {
      child.stdin.write('\n')
      return Number(await read())
    }
    const send = async (target: string, length: number): Promise<void> => {
      const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(length)}` } }
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: `${target}/m`, messages: [{ role: 'user', content: [image] }] }),
      })
      expect(await response.text()).toContain('Read.')
    }
    await send('openai', 400)
    await send('anthropic', 400)
    const before = await mostBytes()
    const copiesAfter = async (target: string): Promise<number> => {
      for (let count = 0; count < 2; count++) await send(target, imageBytes)
      return ((await mostBytes()) - before) / imageBytes
    }
    expect(await copiesAfter('openai')).toBeLessThan(copiesMax.passed)
    expect(await copiesAfter('anthropic')).toBeLessThan(copiesMax.translated)
  } finally {
    child.kill()
  }
})
