import { ServerResponse } from 'node:http'
import { expect, it, vi } from 'vitest'
import { CallGuards } from '../../../gateway/guardrails/call-guards.ts'
import { chatStream } from '../../support/scripted-upstream.ts'
import { buildGuardedLine } from './guarded-line.ts'
import { chatStreamAt, messageStreamAt, messageStreamOf, readEvents } from './streams.ts'

const anySecret = { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] }
const anyPii = { gt: [{ fact: 'findings.pii.hits', or: 0 }, 0] }
const line = buildGuardedLine(
  [
    { id: 'block', direction: 'output', when: anySecret, then: { block: { code: 'LEAK' } } },
    { id: 'hold', direction: 'output', stream: 'hold', when: anySecret, then: { block: { code: 'LEAK' } } },
    { id: 'post', direction: 'output', stream: 'post', when: anySecret, then: { block: { code: 'LEAK' } } },
    {
      id: 'refuse',
      direction: 'output',
      when: anySecret,
      then: { refuse: { code: 'LEAK', message: 'No more of that.' } },
    },
    { id: 'redact', direction: 'output', when: anyPii, then: { redact: { code: 'PII', with: '[{kind}]' } } },
    {
      id: 'hold-redact',
      direction: 'output',
      stream: 'hold',
      when: anyPii,
      then: { redact: { code: 'PII' } },
    },
    { id: 'put-back', direction: 'input', when: anyPii, then: { redact: { code: 'PII', reversible: true } } },
    {
      id: 'tools',
      direction: 'output',
      scan: { calls: { tools: { deny: ['save'] } } },
      then: { block: { code: 'TOOL' } },
    },
  ],
  {},
)
const key = 'ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5'
const prose = 'The quick brown fox jumps over the lazy dog, and nobody minds. '.repeat(8)
const leaking = [...`${prose}${key} is the key. ${prose}`]
const ask = (guard: string, content = 'Hello', more: object = {}): Promise<Response> =>
  line.gateway.send('/v1/chat/completions', {
    model: 'openai/gpt-5.2',
    stream: true,
    messages: [{ role: 'user', content }],
    metadata: { guard },
    ...more,
  })
const plays = (text: string): void =>
  line.upstream.play((turn) => {
    turn.events(text)
    turn.response.end()
  })

it('a block cuts the stream before the first byte of a match, with an error event', async () => {
  plays(chatStreamAt('text', leaking))
  const { text, strings } = readEvents(await (await ask('block')).text())
  expect(text.includes('ghp_')).toBe(false)
  expect(strings.join(' ')).toContain('LEAK')
  expect(prose.startsWith(text) && text.length > 200).toBe(true)
  const { row, body } = await line.gateway.lastRecord()
  expect(row).toMatchObject({ errorCode: 'LEAK', identity: false })
  expect(body.attempts).toMatchObject([{ outcome: 'cut' }])
  const [verdict] = body.verdicts
  expect(verdict).toMatchObject({ verdict: 'fail', action: 'block', stream: 'window', hits: 1 })
  expect(verdict?.deliveredChars).toBe(text.length)
})

it('a refusal ends the stream in its own way', async () => {
  plays(chatStreamAt('text', leaking))
  const body = await (await ask('refuse')).text()
  const { strings } = readEvents(body)
  expect(strings).toContain('No more of that.')
  expect(strings).toContain('content_filter')
  expect(body.includes('ghp_')).toBe(false)
  expect(body.trim().endsWith('data: [DONE]')).toBe(true)
})

it('what is redacted is replaced where it stands, and all else comes as it was', async () => {
  const said = `${prose}Write to ada@mailbox.org today. ${prose}`
  plays(chatStreamAt('text', [...said]))
  const { text } = readEvents(await (await ask('redact')).text())
  expect(text).toBe(said.replace('ada@mailbox.org', '[email]'))
  const { body } = await line.gateway.lastRecord()
  expect(body.verdicts).toMatchObject([{ verdict: 'fail', action: 'redact', hits: 1 }])
})

it('a stream without a match passes whole, and its verdict says that all was scanned', async () => {
  plays(chatStreamAt('text', [...prose]))
  const { text } = readEvents(await (await ask('redact')).text())
  expect(text).toBe(prose)
  const [verdict] = (await line.gateway.lastRecord()).body.verdicts
  expect(verdict).toMatchObject({ verdict: 'pass', scannedChars: prose.length, deliveredChars: prose.length })
})

it('a guardrail that holds lets nothing out before it has seen the end', async () => {
  plays(chatStreamAt('text', leaking))
  const response = await ask('hold')
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'LEAK' } }])
  plays(chatStreamAt('text', [...prose]))
  const { text } = readEvents(await (await ask('hold')).text())
  expect(text).toBe(prose)
  const { body } = await line.gateway.lastRecord(2)
  expect(body.verdicts).toMatchObject([{ verdict: 'pass', stream: 'hold' }])
  plays(chatStreamAt('toolCall', [...'{"to":"ada@mailbox.org"}']))
  expect(readEvents(await (await ask('hold-redact')).text()).text).toBe('{"to":"[REDACTED]"}')
})

it('a guardrail that comes after it lets the bytes pass as they come, and says what was in them', async () => {
  const stream = chatStream('Hello ', key)
  plays(stream.join(''))
  const text = await (await ask('post', 'Hello', { stream_options: { include_usage: true } })).text()
  expect(text).toBe(stream.join(''))
  const { row, body } = await line.gateway.lastRecord()
  expect(row.identity).toBe(true)
  expect(body.verdicts).toMatchObject([{ verdict: 'fail', code: 'LEAK', stream: 'post', hits: 1 }])
})

it('a guardrail that comes after it looks when the end of the answer has left', async () => {
  const looks = vi.spyOn(CallGuards.prototype, 'observe')
  const ends = vi.spyOn(ServerResponse.prototype, 'end')
  plays(chatStream('Hello').join(''))
  await (await ask('post', 'Hello')).text()
  await line.gateway.lastRecord()
  const [lookedAt, endedAt] = [looks, ends].map((each) => each.mock.invocationCallOrder.at(-1) ?? 0)
  looks.mockRestore()
  ends.mockRestore()
  expect(lookedAt).toBeGreaterThan(endedAt ?? 0)
})

it('a placeholder that comes in pieces is put back', async () => {
  plays(chatStreamAt('text', [...'I wrote to [EMAIL_1], not to [EMAIL_7] or [x].']))
  const { text } = readEvents(await (await ask('put-back', 'Write to ada@mailbox.org')).text())
  expect(text).toBe('I wrote to ada@mailbox.org, not to [EMAIL_7] or [x].')
})

it('a tool that may not be called is never seen', async () => {
  plays(chatStreamAt('toolCall', ['{"a":', '1}']))
  const body = await (await ask('tools')).text()
  expect(body).toContain('TOOL')
  expect(body).not.toContain('"save"')
})

it('thinking whose text was changed loses the signature that would prove it', async () => {
  line.upstream.play((turn) => {
    turn.events(messageStreamAt('reasoning', [...`${prose} ada@mailbox.org`]))
    turn.response.end()
  })
  const response = await line.gateway.send(
    '/v1/messages',
    {
      model: 'anthropic/claude-sonnet-4-5',
      stream: true,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hi' }],
    },
    { headers: { 'x-signalbox-metadata': JSON.stringify({ guard: 'redact' }) } },
  )
  const body = await response.text()
  expect(body).toContain('[email]')
  expect(body).not.toContain('c2lnbmVk')
  expect(body.includes('message_stop')).toBe(true)
})

const messagesAsked = { model: 'anthropic/claude-sonnet-4-5', stream: true, max_tokens: 100 }
const askBlocks = (
  guard: string,
  place: 'text' | 'reasoning',
  blocks: readonly string[],
): Promise<Response> => {
  plays(
    messageStreamOf(
      place,
      blocks.map((each) => [...each]),
    ),
  )
  return line.gateway.send(
    '/v1/messages',
    { ...messagesAsked, messages: [{ role: 'user', content: 'Hi' }] },
    { headers: { 'x-signalbox-metadata': JSON.stringify({ guard }) } },
  )
}

it('a match that is split over two blocks is found before either of its halves goes out', async () => {
  const blocked = await (
    await askBlocks('block', 'text', [`${prose}${key.slice(0, 9)}`, key.slice(9)])
  ).text()
  expect([blocked.includes('ghp_'), blocked.includes('LEAK')]).toEqual([false, true])
  expect((await line.gateway.lastRecord()).body.verdicts).toMatchObject([
    { verdict: 'fail', action: 'block' },
  ])
  const said = ['Write to ada@mail', 'box.org today.']
  const { text, events } = readEvents(await (await askBlocks('redact', 'text', said)).text())
  expect(text).toBe('Write to [email] today.')
  const starts = events.filter((each) => Object(each).type === 'content_block_start')
  expect(starts.map((each) => Object(each).index)).toEqual([0, 1])
  const [verdict] = (await line.gateway.lastRecord(2)).body.verdicts
  expect(verdict).toMatchObject({ verdict: 'fail', action: 'redact', hits: 1 })
})

it('blocks without a match pass as they were, whatever their ends look like, with their signatures', async () => {
  const said = ['Write to ada at mail', 'box.org: see ghp_', ' and so on.', prose]
  const passed = await (await askBlocks('redact', 'reasoning', said)).text()
  expect(readEvents(passed).text).toBe(said.join(''))
  expect(passed.match(/c2lnbmVk/g)).toHaveLength(4)
  const [verdict] = (await line.gateway.lastRecord()).body.verdicts
  const chars = said.join('').length
  expect(verdict).toMatchObject({ verdict: 'pass', scannedChars: chars, deliveredChars: chars })
  const changed = await (
    await askBlocks('redact', 'reasoning', ['I think ada@mail', 'box.org it is.'])
  ).text()
  expect([readEvents(changed).text, changed.includes('c2lnbmVk')]).toEqual(['I think [email] it is.', false])
})

it('several choices of one stream are refused, as only one can be read as it comes', async () => {
  const response = await ask('block', 'Hello', { n: 2 })
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: 'unsupported_feature' } },
  ])
})

it('what no guardrail reads in a stream, words of a source and of a search, stays behind and is named', async () => {
  const event = (type: string, rest: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, index: 0, ...rest })}\n\n`
  const found = { type: 'web_search_result', url: 'https://b.example/', title: 'B', encrypted_content: 'e' }
  const asked = { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'bob@mailbox.org' } }
  const searched = [asked, { type: 'web_search_tool_result', tool_use_id: 's1', content: [found] }]
    .map((block) => event('content_block_start', { content_block: block }) + event('content_block_stop', {}))
    .join('')
  const source = { type: 'web_search_result_location', url: 'https://a.example/', encrypted_index: 'e' }
  const citation = { ...source, cited_text: 'Write to ada@mailbox.org' }
  const cited = event('content_block_delta', { delta: { type: 'citations_delta', citation } })
  for (const guard of ['redact', 'hold-redact']) {
    plays(
      messageStreamAt('text', ['Hello.'])
        .replace('event: content_block_start', `${searched}$&`)
        .replace(
          'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message',
          `${cited}${cited}$&`,
        ),
    )
    const response = await line.gateway.send(
      '/v1/messages',
      { ...messagesAsked, messages: [{ role: 'user', content: 'Hi' }] },
      { headers: { 'x-signalbox-metadata': JSON.stringify({ guard }) } },
    )
    const body = await response.text()
    const told = ['https://a.example/', 'https://b.example/', 'ada@', 'bob@'].map((each) =>
      body.includes(each),
    )
    expect([guard, ...told]).toEqual([guard, true, true, false, false])
    const { dropped } = (await line.gateway.lastRecord()).body
    expect(dropped.toSorted()).toEqual(['response.citations.quote', 'response.searches.queries'])
  }
})
