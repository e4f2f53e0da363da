import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ baseURL: 'http://127.0.0.1:8787/anthropic', apiKey: 'sb_...' })

const message = await client.messages.create({
  model: 'anthropic/claude-sonnet-4.5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, Claude' }],
})
const [block] = message.content
if (block?.type === 'text') console.log(block.text)
