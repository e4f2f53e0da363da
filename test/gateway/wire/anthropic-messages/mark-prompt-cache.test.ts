import { describe, expect, it } from 'vitest'
import { markPromptCache } from '../../../../gateway/wire/anthropic-messages/mark-prompt-cache.ts'

const marked = (json: object, ttl: '5m' | '1h' = '5m'): unknown =>
  JSON.parse(markPromptCache(Buffer.from(JSON.stringify(json)), ttl).toString('utf8'))
const mark = { type: 'ephemeral' }

describe('Marks for a prompt cache', () => {
  it('stand after the tools, the system text and the conversation', () => {
    const json = {
      model: 'claude-sonnet-4-5',
      tools: [{ name: 'a' }, { name: 'b' }],
      system: 'Be short.',
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'user', content: 'Go on' },
      ],
    }
    expect(marked(json)).toEqual({
      ...json,
      tools: [{ name: 'a' }, { name: 'b', cache_control: mark }],
      system: [{ type: 'text', text: 'Be short.', cache_control: mark }],
      messages: [
        ...json.messages.slice(0, 2),
        { role: 'user', content: [{ type: 'text', text: 'Go on', cache_control: mark }] },
      ],
    })
    expect(marked({ messages: [{ role: 'user', content: 'Hi' }] }, '1h')).toEqual({
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { ...mark, ttl: '1h' } }] },
      ],
    })
  })

  it('are left to a caller who sets some himself, and never stand where they are refused', () => {
    const own = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: mark }] }] }
    expect(marked({ system: 'x', ...own })).toEqual({ system: 'x', ...own })
    const thinking = [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 's' }] }]
    expect(marked({ messages: thinking, system: '' })).toEqual({ messages: thinking, system: '' })
    expect(marked({ messages: [] })).toEqual({ messages: [] })
  })

  it('leave every other byte as it came', () => {
    const body = '{ "temperature" : 1.50 , "messages":[{"role":"user","content":"Hi"}] }'
    const text = markPromptCache(Buffer.from(body), '5m').toString('utf8')
    expect(text.startsWith('{ "temperature" : 1.50 , "messages":[')).toBe(true)
  })
})
