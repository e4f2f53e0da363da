import { createGateway } from '@ai-sdk/gateway'
import { generateText } from 'ai'

globalThis.AI_SDK_DEFAULT_PROVIDER = createGateway({ baseURL: 'http://127.0.0.1:8787/v3/ai', apiKey: 'sb_...' })

const { text } = await generateText({ model: 'anthropic/claude-opus-4.8', prompt: 'Hello' })
console.log(text)
