import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { chatCompletion, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/** About a million tokens. */
const text = 'word '.repeat(800_000)
/** Eight images of 2.5 MB. */
const images = Array.from({ length: 8 }, () => 'A'.repeat(3_333_332))
const answers = {
  openai: chatCompletion('Read.'),
  anthropic: { id: 'm1', model: 'm', content: [{ type: 'text', text: 'Read.' }], stop_reason: 'end_turn' },
}
type Target = keyof typeof answers

function requestIn(dialect: string, target: Target, large: readonly string[]): [path: string, body: unknown] {
  const model = `${target}/m`
  const said = large.length === 0 ? text : 'q'
  const url = (data: string): string => `data:image/png;base64,${data}`
  if (dialect === 'chat') {
    const parts = large.map((data) => ({ type: 'image_url', image_url: { url: url(data) } }))
    const content = [{ type: 'text', text: said }, ...parts]
    return ['/v1/chat/completions', { model, messages: [{ role: 'user', content }] }]
  }
  if (dialect === 'responses') {
    const parts = large.map((data) => ({ type: 'input_image', image_url: url(data) }))
    const content = [{ type: 'input_text', text: said }, ...parts]
    return ['/v1/responses', { model, input: [{ role: 'user', content }] }]
  }
  if (dialect === 'messages') {
    const source = (data: string): unknown => ({ type: 'base64', media_type: 'image/png', data })
    const parts = large.map((data) => ({ type: 'image', source: source(data) }))
    const content = [{ type: 'text', text: said }, ...parts]
    return ['/v1/messages', { model, max_tokens: 9, messages: [{ role: 'user', content }] }]
  }
  if (dialect === 'vercel') {
    const parts = large.map((data) => ({ type: 'file', mediaType: 'image/png', data }))
    return [
      '/v3/ai/language-model',
      { prompt: [{ role: 'user', content: [{ type: 'text', text: said }, ...parts] }] },
    ]
  }
  const parts = large.map((data) => ({ inlineData: { mimeType: 'image/png', data } }))
  const path = `/v1beta/models/${target}%2Fm:generateContent`
  return [path, { contents: [{ role: 'user', parts: [{ text: said }, ...parts] }] }]
}

let upstream: ScriptedUpstream
let gateway: RunningGateway
beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1`, formats: ['openai-chat'] }),
    connectionOf('anthropic', { provider: 'anthropic', baseUrl: upstream.url }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

async function passes(dialect: string, target: Target, large: readonly string[]): Promise<void> {
  upstream.play((turn) => turn.json(200, answers[target]))
  const [path, body] = requestIn(dialect, target, large)
  const headers = { 'ai-language-model-id': `${target}/m`, 'ai-language-model-specification-version': '3' }
  const response = await gateway.send(path, body, { headers })
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('Read.')
  const sent = upstream.requests.pop()?.text ?? ''
  for (const each of large.length === 0 ? [text] : large.slice(0, 1)) expect(sent.includes(each)).toBe(true)
  expect(sent.length).toBeGreaterThan(large.length === 0 ? 4_000_000 : 26_000_000)
}
const dialects = ['chat', 'responses', 'messages', 'gemini', 'vercel']

describe('large requests', () => {
  it.each(dialects)('of a million tokens pass in %s, to a provider of each format', async (dialect) => {
    await passes(dialect, 'openai', [])
    await passes(dialect, 'anthropic', [])
  })

  // The bench has all pairs.
  it.each(['chat', 'messages'])('of 20 MB of images pass in %s', (dialect) =>
    passes(dialect, 'anthropic', images))
})
