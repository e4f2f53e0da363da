import { describe, expect, it } from 'vitest'
import { buildGuardedLine } from './guarded-line.ts'
import { chatStreamAt, dialects, type Place, readEvents, streamRequest } from './streams.ts'

const anySecret = { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] }
const line = buildGuardedLine([
  { id: 'block', direction: 'output', when: anySecret, then: { block: { code: 'LEAK' } } },
  {
    id: 'refuse',
    direction: 'output',
    when: anySecret,
    then: { refuse: { code: 'LEAK', message: 'No more of that.' } },
  },
])
const key = 'ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5'
const prose = 'The quick brown fox jumps over the lazy dog, and nobody minds. '.repeat(6)
const said: Readonly<Record<Place, string>> = {
  text: `${prose}${key} is the key.`,
  reasoning: `${prose}${key} is the key.`,
  toolCall: JSON.stringify({ note: `${prose}${key}` }),
}
/** How each dialect says that a filter stopped an answer. */
const filtered = {
  'openai-chat': 'content_filter',
  'openai-responses': 'response.',
  'anthropic-messages': 'refusal',
  gemini: 'SAFETY',
} as const

async function ask(dialect: (typeof dialects)[number], guard: string, place: Place): Promise<string> {
  line.upstream.play((turn) => {
    turn.events(chatStreamAt(place, said[place].match(/.{1,3}/gs) ?? []))
    turn.response.end()
  })
  const [path, body] = streamRequest(dialect, 'openai/gpt-5.2', {})
  line.gateway.snapshot = {
    ...line.snapshotOf(),
    connections: new Map(
      [...line.snapshotOf().connections].map(([name, each]) => [name, { ...each, formats: ['openai-chat'] }]),
    ),
  }
  const headers = { 'x-signalbox-metadata': JSON.stringify({ guard }) }
  const response = await line.gateway.send(path, body, { headers })
  expect(response.status).toBe(200)
  return response.text()
}

describe.each(dialects)('%s', (dialect) => {
  it.each([
    'text',
    'reasoning',
    'toolCall',
  ] as const)('a block in %s ends with its error event', async (place) => {
    const { strings } = readEvents(await ask(dialect, 'block', place))
    expect(strings.join('\n')).not.toContain('ghp_')
    expect(strings.join('\n')).toMatch(/LEAK|guardrail|blocked/i)
    const { row, body } = await line.gateway.lastRecord()
    expect(row.errorCode).toBe('LEAK')
    expect(body.verdicts).toMatchObject([{ verdict: 'fail', action: 'block', stream: 'window' }])
  })

  it('a refusal ends in its own words', async () => {
    const { strings } = readEvents(await ask(dialect, 'refuse', 'text'))
    const all = strings.join('\n')
    expect(all).not.toContain('ghp_')
    expect(all).toContain('No more of that.')
    expect(all).toContain(filtered[dialect])
  })
})
