import { expect, it } from 'vitest'
import { chatCompletion } from '../../support/scripted-upstream.ts'
import { buildGuardedLine } from './guarded-line.ts'

const anyPii = { gt: [{ fact: 'findings.pii.hits', or: 0 }, 0] }
const line = buildGuardedLine([
  {
    id: 'no-secrets',
    direction: 'input',
    when: { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] },
    then: { block: { code: 'SECRET_IN_PROMPT', message: 'The text holds a key.' } },
  },
  { id: 'pii', direction: 'input', when: anyPii, then: { redact: { code: 'PII', reversible: true } } },
  { id: 'pii-out', direction: 'input', when: anyPii, then: { redact: { code: 'PII', with: '<{kind}>' } } },
  {
    id: 'refuse-falcon',
    direction: 'input',
    scan: { names: { terms: { any: ['Project Falcon'] } } },
    then: { refuse: { code: 'NAMES', message: 'I cannot talk about that.' } },
  },
  {
    id: 'audit-falcon',
    direction: 'input',
    level: 'audit',
    scan: { names: { terms: { any: ['Project Falcon'] } } },
    then: { block: { code: 'NAMES' } },
  },
])
const secret = 'ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5'
const ask = (guard: string, content: unknown, more: object = {}): Promise<Response> =>
  line.gateway.send('/v1/chat/completions', {
    model: 'openai/gpt-5.2',
    messages: [{ role: 'user', content }],
    metadata: { guard },
    ...more,
  })

it('a guardrail that blocks stops the call before any upstream is asked', async () => {
  const before = line.upstream.requests.length
  const response = await ask('no-secrets', `My token is ${secret}`)
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: 'SECRET_IN_PROMPT' } },
  ])
  expect(line.upstream.requests.length).toBe(before)
  const { row, body } = await line.gateway.lastRecord()
  expect(row).toMatchObject({ status: 400, errorCode: 'SECRET_IN_PROMPT', attempts: 0 })
  expect(body.verdicts).toMatchObject([
    {
      guardrail: 'no-secrets',
      verdict: 'fail',
      action: 'block',
      code: 'SECRET_IN_PROMPT',
      hits: 1,
      deliveredChars: 0,
    },
  ])
  expect(JSON.stringify(body)).not.toContain(secret)
})

it('what passes goes out byte for byte, and its verdict says that all was scanned', async () => {
  line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
  const response = await ask('no-secrets', 'Hello')
  expect(response.status).toBe(200)
  const { row, body } = await line.gateway.lastRecord()
  const [verdict] = body.verdicts
  expect(verdict).toMatchObject({ verdict: 'pass', action: 'none' })
  expect(verdict?.scannedChars).toBe(verdict?.deliveredChars)
  expect(row.identity).toBe(true)
})

it('personal data is replaced on the way out and put back in the answer', async () => {
  line.upstream.play((turn) => {
    const [sent] = turn.request.json.messages as { content: string }[]
    turn.json(200, chatCompletion(`You said: ${sent?.content}`))
  })
  const response = await ask(
    'pii',
    'Write to ada.lovelace@mailbox.org and ada.lovelace@mailbox.org, or bob@corp.io',
  )
  const sent = line.upstream.requests.at(-1)?.text ?? ''
  expect(sent).not.toContain('mailbox.org')
  expect(sent).toContain('Write to [EMAIL_1] and [EMAIL_1], or [EMAIL_2]')
  expect(JSON.stringify(await response.json())).toContain(
    'You said: Write to ada.lovelace@mailbox.org and ada.lovelace@mailbox.org, or bob@corp.io',
  )
  const { row, body } = await line.gateway.lastRecord()
  expect(body.verdicts).toMatchObject([{ verdict: 'fail', action: 'redact', code: 'PII', hits: 3 }])
  expect(row.identity).toBe(false)
  expect(response.headers.get('x-signalbox-guardrails')).toBe('pii=redact=PII')
})

it('what is taken out for good does not come back', async () => {
  line.upstream.play((turn) => turn.json(200, chatCompletion('<email>')))
  const response = await ask('pii-out', [{ type: 'text', text: 'I am "ada@mailbox.org"\n' }])
  expect(line.upstream.requests.at(-1)?.text).toContain('I am \\"<email>\\"\\n')
  expect(JSON.stringify(await response.json())).toContain('<email>')
})

it('personal data in tool results and arguments is replaced where it stands', async () => {
  line.upstream.play((turn) => turn.json(200, chatCompletion('ok')))
  await line.gateway.send('/v1/chat/completions', {
    model: 'openai/gpt-5.2',
    metadata: { guard: 'pii' },
    messages: [
      { role: 'user', content: 'Find Ada' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: { name: 'find', arguments: '{"mail":"ada\\u0040mailbox.org"}' },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '{"mail":"ada@mailbox.org"}' },
    ],
  })
  const { messages } = line.upstream.requests.at(-1)?.json as { messages: Record<string, never>[] }
  expect(JSON.stringify(messages)).not.toMatch(/mailbox/)
  expect(messages[1]).toMatchObject({ tool_calls: [{ function: { arguments: '{"mail":"[EMAIL_1]"}' } }] })
  expect(messages[2]).toMatchObject({ content: '{"mail":"[EMAIL_1]"}' })
})

it('a refusal is an answer in the dialect, and plain text for agents', async () => {
  const plain = await (await ask('refuse-falcon', 'What is project falcon?')).json()
  expect(plain).toMatchObject({
    choices: [{ message: { refusal: 'I cannot talk about that.' }, finish_reason: 'content_filter' }],
  })
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
  const agent = await (await ask('refuse-falcon', 'What is project falcon?', { tools })).json()
  expect(agent).toMatchObject({
    choices: [{ message: { content: 'I cannot talk about that.' }, finish_reason: 'stop' }],
  })
  const stream = await (await ask('refuse-falcon', 'What is project falcon?', { stream: true })).text()
  expect(stream).toContain('I cannot talk about that.')
  expect(stream.trim().endsWith('data: [DONE]')).toBe(true)
  const { row } = await line.gateway.lastRecord(3)
  expect(row).toMatchObject({ status: 200, errorCode: 'NAMES', attempts: 0 })
})

it('an audit notes and lets pass', async () => {
  line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
  const response = await ask('audit-falcon', 'What is Project Falcon?')
  expect(response.status).toBe(200)
  const { body } = await line.gateway.lastRecord()
  expect(body.verdicts).toMatchObject([{ level: 'audit', verdict: 'fail', action: 'none', code: 'NAMES' }])
})
