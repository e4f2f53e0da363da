import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'

const apiKey = 'sb_...'
const gateway = 'http://127.0.0.1:8787'
const openai = new OpenAI({ apiKey, baseURL: `${gateway}/v1` })
const anthropic = new Anthropic({ apiKey, baseURL: `${gateway}/anthropic` })
const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${gateway}/gemini` } })

const response = await openai.responses.create({ model: 'openai/gpt-5.2', input: 'Hello' })
console.log(response.output_text)

const message = await anthropic.messages.create({
  model: 'anthropic/claude-sonnet-4.5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(message.content)

const answer = await google.models.generateContent({ model: 'google/gemini-2.5-flash', contents: 'Hello' })
console.log(answer.text)
