import { beforeEach, describe, expect, it } from 'vitest'
import { chatCompletion, message } from '../../support/scripted-upstream.ts'
import { chat, messages } from '../line.ts'
import { buildGuardedLine } from './guarded-line.ts'

const scan = {
  mail: { regex: { patterns: { mail: '[a-z]+@example[.]com' }, charsMax: 64 } },
  names: { terms: { any: ['Project Falcon'] } },
}
const then = { redact: { code: 'FOUND', with: '[gone]' } }
const line = buildGuardedLine([
  { id: 'in', direction: 'input', scan, then },
  { id: 'out', direction: 'output', scan, then },
  {
    id: 'out-secrets',
    direction: 'output',
    when: { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] },
    then,
  },
  {
    id: 'secrets',
    direction: 'input',
    when: { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] },
    then: { block: { code: 'SECRET' } },
  },
])
beforeEach(() => {
  line.upstream.requests.length = 0
  line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
})
const blocks = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))
const ask = (guard: string, content: unknown) =>
  line.gateway.send('/v1/chat/completions', {
    ...chat,
    messages: [{ role: 'user', content }],
    metadata: { guard },
  })
const sentTexts = (): unknown => {
  const [first] = (line.upstream.requests.at(-1)?.json.messages ?? []) as { content: unknown }[]
  return first?.content
}

describe('a match that is split over two texts', () => {
  it('is taken out of both', async () => {
    await ask('in', blocks('Write to ada@exam', 'ple.com today, about Project', ' Falcon.'))
    expect(sentTexts()).toEqual(blocks('Write to [gone]', ' today, about [gone]', '.'))
  })

  it('is found beside those that stand whole, and changes nothing where there is none', async () => {
    await ask('in', blocks('ada@example.com', 'bob@example.com'))
    expect(sentTexts()).toEqual(blocks('[gone]', '[gone]'))
    await ask('in', blocks('nothing', ' here'))
    expect(sentTexts()).toEqual(blocks('nothing', ' here'))
  })

  it('stops a key that is split', async () => {
    const key = `AKIA${'QZ7RXKLMWN2BTYV4'}`
    expect((await ask('secrets', `It is ${key}.`)).status).toBe(400)
    expect((await ask('secrets', blocks(`It is ${key.slice(0, 9)}`, `${key.slice(9)}.`))).status).toBe(400)
    expect(line.upstream.requests).toEqual([])
  })

  it('is found through texts that are short, and through as many as there are', async () => {
    await ask('in', blocks('ada', '@exam', 'ple', '.com today'))
    expect(sentTexts()).toEqual(blocks('[gone]', '', '', ' today'))
    const many = Array.from({ length: 300 }, (_, index) => `part ${index} `)
    await ask('in', blocks(...many, 'ada@exam', 'ple.com'))
    expect(sentTexts()).toEqual(blocks(...many, '[gone]', ''))
  })

  it('stops a key that is long, and one that only the words before it tell', async () => {
    const lines = Array.from({ length: 12 }, (_, line) => `${'aB3+/xYz'.repeat(7)}${'mnopqrst'}${line % 10}`)
    const pem = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----'].join('\n')
    const guard = 'out-secrets'
    line.upstream.play((turn) =>
      turn.json(200, { ...Object(message('')), content: blocks(`It is ${pem.slice(0, 20)}`, pem.slice(20)) }),
    )
    const headers = { 'x-signalbox-metadata': JSON.stringify({ guard }) }
    const long = await (await line.gateway.send('/v1/messages', messages, { headers })).json()
    expect(Object(long).content).toEqual(blocks('It is [gone]', ''))
    line.upstream.play((turn) =>
      turn.json(200, { ...Object(message('')), content: blocks('The password: ', '8y9ztvFM!817nult') }),
    )
    const told = await (await line.gateway.send('/v1/messages', messages, { headers })).json()
    expect(Object(told).content).toEqual(blocks('The password: ', '[gone]'))
  })

  it('is taken out of the blocks of an answer', async () => {
    line.upstream.play((turn) =>
      turn.json(200, { ...Object(message('')), content: blocks('ada@exam', 'ple.com') }),
    )
    const headers = { 'x-signalbox-metadata': JSON.stringify({ guard: 'out' }) }
    const response = await line.gateway.send('/v1/messages', messages, { headers })
    expect(((await response.json()) as { content: unknown }).content).toEqual([
      { type: 'text', text: '[gone]' },
      { type: 'text', text: '' },
    ])
  })
})
