import { beforeEach, describe, expect, it } from 'vitest'
import { chatCompletion, chatStream } from '../../support/scripted-upstream.ts'
import { buildGuardedLine } from '../guardrails/guarded-line.ts'
import { chat } from '../line.ts'

const line = buildGuardedLine([
  {
    id: 'no-mail',
    direction: 'output',
    scan: { mail: { regex: { patterns: { mail: '[a-z]+@example[.]com' }, charsMax: 64 } } },
    then: { redact: { code: 'MAIL', with: '[mail]' } },
  },
  {
    id: 'no-swear',
    direction: 'output',
    scan: { words: { terms: { any: ['forbidden'] } } },
    then: { block: { code: 'SWEAR' } },
  },
])
const ttl = { 'x-signalbox-cache': 'ttl=60' }
let asked = 0
beforeEach(() => {
  asked++
  line.upstream.requests.length = 0
})

const plays = (text: string): void =>
  line.upstream.play((turn) => {
    if (turn.request.json.stream !== true) return turn.json(200, chatCompletion(text))
    turn.events(chatStream(text).join(''))
    turn.response.end()
  })
async function ask(guard: string, stream = false) {
  const body = { ...chat, seed: asked, stream, metadata: { guard } }
  const response = await line.gateway.send('/v1/chat/completions', body, { headers: ttl })
  return {
    cache: response.headers.get('x-signalbox-cache'),
    text: await response.text(),
    status: response.status,
  }
}

describe('The cache under guardrails', () => {
  it.each([
    false,
    true,
  ])('keeps an answer as screened, and screens it again for the next call: streams %s', async (stream) => {
    plays('Write to ada@example.com today.')
    const first = await ask('no-mail', stream)
    const second = await ask('no-mail', stream)
    expect([first.cache, second.cache]).toEqual(['miss', 'hit'])
    expect(first.text).not.toContain('ada@example.com')
    expect(second.text).toBe(first.text)
    expect(line.upstream.requests).toHaveLength(1)
    const { body } = await line.gateway.lastRecord(2)
    expect(body.verdicts.map(({ guardrail, verdict }) => [guardrail, verdict])).toEqual([['no-mail', 'pass']])
  })

  it('keeps nothing that a guardrail stopped', async () => {
    plays('This is forbidden.')
    expect((await ask('no-swear')).status).toBe(400)
    plays('This is fine.')
    const second = await ask('no-swear')
    expect([second.cache, second.status]).toEqual(['miss', 200])
    expect((await ask('no-swear')).cache).toBe('hit')
  })

  it('gives a streamed answer to a plain call, screened', async () => {
    plays('Write to ada@example.com today.')
    await ask('no-mail', true)
    const plain = await ask('no-mail')
    expect([plain.cache, plain.text.includes('ada@example.com')]).toEqual(['hit', false])
  })

  it('is of one kind of guardrails: another demand asks anew', async () => {
    plays('Write to ada@example.com today.')
    await ask('')
    expect((await ask('no-mail')).cache).toBe('miss')
  })
})
