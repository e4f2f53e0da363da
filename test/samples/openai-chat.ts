import OpenAI from 'openai'

const client = new OpenAI({ baseURL: 'http://127.0.0.1:8787/v1', apiKey: 'sb_...' })

const completion = await client.chat.completions.create({
  model: 'openai/gpt-5.2',
  messages: [{ role: 'user', content: 'What is the meaning of life?' }],
})
console.log(completion.choices[0]?.message.content)
