import { detectors } from '@signalbox/policies'
import { Facts } from '@signalbox/sdk/contract'
import { violationsOf } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import type { Call } from '../../gateway/call.ts'
import { textOfCall, windowChars } from '../../gateway/call-texts.ts'
import { detect } from '../../gateway/detect.ts'
import { dialect as anthropic } from '../../gateway/dialects/anthropic-messages.ts'
import { dialect as openai } from '../../gateway/dialects/openai-chat.ts'
import { wantedSignals } from '../../gateway/wanted-signals.ts'
import { openAiCollections } from '../../gateway/wire/openai-operations/stored-collections.ts'
import { decodeStored } from '../../gateway/wire/stored-collection.ts'
import { memorySnapshot } from '../support/memory-snapshot.ts'

function callOf(messages: readonly unknown[], rest: object = {}, dialect = openai): Call {
  const json = { model: 'gpt-5.2', max_tokens: 10, messages, ...rest }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(json)), json, 'chat')
}
const said = (content: unknown, role = 'user') => ({ role, content })
const all = { detectors: ['code', 'injection', 'language', 'pii', 'secrets'], sensitivity: true } as const
const key = 'ghp_a8F3kd92LkdP03mfKs82hdQ0zMx71BvTyuIo'
const wantedOf = (...reads: string[]) => wantedSignals(memorySnapshot({ workspace: { reads } }).versions)

describe('signals', () => {
  it('are those that policies read, and none where none is read', () => {
    expect(wantedOf('request.metadata.tier', 'data.detectorErrors')).toEqual({
      detectors: [],
      sensitivity: false,
    })
    expect(wantedOf('data.detectors.pii.hits')).toEqual({ detectors: ['pii'], sensitivity: false })
    expect(wantedOf('data.sensitivity.rank')).toEqual({ detectors: ['pii', 'secrets'], sensitivity: true })
    expect(wantedOf('data.detectors').detectors).toEqual(all.detectors)
    expect(wantedOf('*')).toEqual(all)
  })

  it('say what is in a call, as the schema has it, and nothing of its text', () => {
    const data = detect(callOf([said(`Please use ${key} and write to ann@example.org.`)]), all, undefined)
    expect(data).toMatchObject({
      detectorErrors: [],
      detectors: { pii: { hits: 1, kinds: ['email'] }, secrets: { hits: 1, kinds: ['github'] } },
      sensitivity: { rank: 4, label: 'secret', source: 'detector' },
    })
    expect(violationsOf(Facts.properties.data, data)).toEqual([])
    expect(JSON.stringify(data)).not.toMatch(/example|ghp_/)
  })

  it('see every place of a request that a model may read', () => {
    const tool = (name: string, description: string) => ({
      type: 'function',
      function: { name, description, parameters: { type: 'object', properties: { k: { const: key } } } },
    })
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: `{"k":"${key}"}` } }
    const plain = { ...call, function: { name: 'f', arguments: '{}' } }
    const used = { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }] }
    const places: Call[] = [
      callOf([said(key, 'system'), said('hi')]),
      callOf([said([{ type: 'text', text: key }])]),
      callOf([said('hi'), { role: 'assistant', content: null, tool_calls: [call] }]),
      callOf([
        { role: 'assistant', tool_calls: [plain] },
        { role: 'tool', tool_call_id: 'c', content: key },
      ]),
      callOf([said('hi')], { tools: [tool('f', 'x')] }),
      callOf([said('hi')], { prediction: { type: 'content', content: key } }),
      callOf([said('hi')], { system: key }, anthropic),
      callOf(
        [used, said([{ type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: key }] }])],
        {},
        anthropic,
      ),
      callOf([said([{ type: 'new_block', inner: [{ text: key }] }])]),
    ]
    const blind = places.filter((each) => (detect(each, all, undefined).detectors.secrets?.hits ?? 0) === 0)
    expect(blind.map(({ json }) => json)).toEqual([])
  })

  it('come from the newest messages and the first ones; what was not looked at is counted', () => {
    const filler = 'The train is late. '.repeat(20_000)
    const call = callOf([
      said(`system ${key}`, 'system'),
      said(filler),
      said(filler),
      said('ann@example.org'),
    ])
    const data = detect(call, all, undefined)
    expect(data.detectors).toMatchObject({ pii: { hits: 1 }, secrets: { hits: 1 } })
    const { chars, totalChars } = data.scanned ?? { chars: 0, totalChars: 0 }
    expect(chars).toBeLessThanOrEqual(windowChars.newest + windowChars.oldest + windowChars.rest)
    expect(totalChars).toBe(filler.length * 2 + key.length + 7 + 15)
    expect(textOfCall(call).text.startsWith('ann@example.org')).toBe(true)
  })

  it('are missing where a detector fails, which is said and counts as the worst', () => {
    const broken = {
      ...detectors,
      pii: {
        ...detectors.pii,
        scan: () => {
          throw new Error('ann@example.org')
        },
      },
    }
    const data = detect(callOf([said('hi')]), all, 'public', broken)
    expect(data.detectorErrors).toEqual(['pii'])
    expect(data.detectors).not.toHaveProperty('pii')
    expect(data.detectors).toHaveProperty('secrets')
    expect(data.sensitivity).toEqual({ rank: 3, label: 'restricted', source: 'detector' })
  })

  it('are all failed where the conversation has no canonical form, and the call goes on', () => {
    const head = { method: 'GET', url: '/v1/files', headers: {} }
    const listing = decodeStored(Buffer.alloc(0), {}, head, openAiCollections.files)
    const data = detect(listing, all, undefined)
    expect(data.detectorErrors).toEqual(all.detectors)
    expect(data.detectors).toEqual({})
  })
})

describe('sensitivity', () => {
  const rankOf = (text: string, claim?: string | number) =>
    Object.values(detect(callOf([said(text)]), all, claim).sensitivity ?? {})

  it('is the highest of claim and findings; a claim raises it and never lowers it', () => {
    expect(rankOf('hello')).toEqual(['internal', 1, 'default'])
    expect(rankOf('hello', 'public')).toEqual(['public', 0, 'claim'])
    expect(rankOf('hello', 'restricted')).toEqual(['restricted', 3, 'claim'])
    expect(rankOf('hello', 2)).toEqual(['confidential', 2, 'claim'])
    expect(rankOf('hello', 'very')).toEqual(['secret', 4, 'claim'])
    expect(rankOf('ann@example.org', 'public')).toEqual(['confidential', 2, 'detector'])
    expect(rankOf('IBAN DE89370400440532013000', 'confidential')).toEqual(['restricted', 3, 'detector'])
  })
})
