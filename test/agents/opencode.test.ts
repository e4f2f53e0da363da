import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentLine, type AgentRun, startAgentLine } from '../support/agent-line.ts'
import { describeWith } from '../support/needs.ts'

const models = ['openai/gpt-4.1', 'anthropic/claude-sonnet-4-5', 'google/gemini-2.5-flash']

describeWith('opencode', 'opencode', () => {
  let line: AgentLine
  const opencode = (...args: string[]): Promise<AgentRun> =>
    line.run('opencode', ['run', '--format', 'json', ...args], {
      SIGNALBOX_KEY: line.key,
      OPENCODE_DISABLE_MODELS_FETCH: '1',
    })

  beforeAll(async () => {
    line = await startAgentLine()
    const folder = join(line.home, '.config/opencode')
    mkdirSync(folder, { recursive: true })
    const config = {
      $schema: 'https://opencode.ai/config.json',
      model: 'signalbox/anthropic/claude-sonnet-4-5',
      provider: {
        signalbox: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Signalbox',
          options: { baseURL: `${line.url}/v1`, apiKey: '{env:SIGNALBOX_KEY}' },
          models: Object.fromEntries(models.map((model) => [model, {}])),
        },
      },
    }
    writeFileSync(join(folder, 'opencode.json'), JSON.stringify(config))
    line.model.play('Greet me', { text: 'Hello from a model that nobody pays for.' })
    line.model.play('What did you say', { text: 'I said hello.' })
    line.model.play(
      'Change the answer',
      { tool: 'read', arguments: { filePath: line.notes } },
      { tool: 'edit', arguments: { filePath: line.notes, oldString: '42', newString: '43' } },
      { text: 'Changed it to 43.' },
    )
  }, 120_000)
  afterAll(() => line?.stop())

  it('gets a text with its usage', async () => {
    const { code, output, errors } = await opencode('Greet me')
    expect(code, errors).toBe(0)
    expect(output).toContain('Hello from a model that nobody pays for.')
    expect(output).toContain('"input":1200')
  })

  it('goes on with a conversation', async () => {
    const { output } = await opencode('--continue', 'What did you say?')
    expect(output).toContain('I said hello.')
    expect(line.upstream.at(-1)?.body).toContain('Hello from a model that nobody pays for.')
  })

  it.each(models)('reads and changes a file with %s', async (model) => {
    line.writeNotes()
    const { code, output, errors } = await opencode('--model', `signalbox/${model}`, 'Change the answer')
    expect(code, errors).toBe(0)
    expect(output).toContain('Changed it to 43.')
    expect(line.readNotes()).toBe('The answer is 43.\n')
  })

  it('keeps its prompt cached at Anthropic: the marks of whole messages arrive', () => {
    const marked = line.sent.filter(({ body }) => body.includes('"cache_control"'))
    expect(marked.length).toBeGreaterThan(0)
    for (const { answer } of marked) {
      if (answer?.headers['x-signalbox-target'] !== 'anthropic/claude-sonnet-4-5') continue
      expect(answer.headers['x-signalbox-dropped']).toBeUndefined()
    }
    const there = line.upstream.filter(({ url }) => url === '/v1/messages')
    expect(there.every(({ body }) => body.includes('"cache_control":{"type":"ephemeral"}'))).toBe(true)
  })
})
