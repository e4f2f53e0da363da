import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentLine, type AgentRun, startAgentLine } from '../support/agent-line.ts'
import { countedTokens } from '../support/coding-model.ts'
import { describeWith } from '../support/needs.ts'

describeWith('claude', 'Claude Code', () => {
  let line: AgentLine
  const claude = (prompt: string, ...args: string[]): Promise<AgentRun> =>
    line.run('claude', ['-p', prompt, '--model', 'claude-sonnet-4-5', ...args], {
      ANTHROPIC_BASE_URL: line.url,
      ANTHROPIC_AUTH_TOKEN: line.key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1',
    })

  beforeAll(async () => {
    line = await startAgentLine()
    line.model.play('Greet me', { text: 'Hello from a model that nobody pays for, in more than one piece.' })
    line.model.play('What did you say', { text: 'I said hello.' })
    line.model.play(
      'Change the answer',
      { tool: 'Read', arguments: { file_path: line.notes } },
      { tool: 'Edit', arguments: { file_path: line.notes, old_string: '42', new_string: '43' } },
      { text: 'Changed it to 43.' },
    )
  }, 120_000)
  afterAll(() => line?.stop())

  it('streams a text, and the provider reads the very bytes and betas that it sent', async () => {
    const [sent, upstream] = [line.sent.length, line.upstream.length]
    const partial = ['--output-format', 'stream-json', '--verbose', '--include-partial-messages']
    const { code, output } = await claude('Greet me', ...partial)
    expect(code, output).toBe(0)
    expect(output.match(/text_delta/g)?.length).toBeGreaterThan(1)
    expect(output).toContain('"result":"Hello from a model that nobody pays for')
    const own = line.sent.slice(sent).filter(({ url }) => url.startsWith('/v1/messages'))
    const there = line.upstream.slice(upstream)
    expect(own.length).toBeGreaterThan(0)
    expect(there.map(({ body }) => body)).toEqual(own.map(({ body }) => body))
    expect(there.map(({ headers }) => headers['anthropic-beta'])).toEqual(
      own.map(({ headers }) => headers['anthropic-beta']),
    )
    expect(there[0]?.headers['anthropic-beta']).toContain('claude-code-')
    expect(JSON.stringify(there)).not.toContain(line.key)
  })

  it('goes on with a conversation', async () => {
    const { output } = await claude('What did you say?', '--continue', '--output-format', 'json')
    expect(output).toContain('"result":"I said hello."')
    expect(line.upstream.at(-1)?.body).toContain('Hello from a model that nobody pays for')
  })

  it.each([
    'claude-sonnet-4-5',
    'openai/gpt-5.2',
    'google/gemini-2.5-flash',
  ])('reads and changes a file with %s', async (model) => {
    line.writeNotes()
    const args = ['--model', model, '--permission-mode', 'acceptEdits', '--output-format', 'json']
    const { code, output } = await claude('Change the answer', ...args)
    expect(code, output).toBe(0)
    expect(output).toContain('"result":"Changed it to 43."')
    expect(line.readNotes()).toBe('The answer is 43.\n')
    const answers = line.sent.slice(-3).map(({ answer }) => answer)
    expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200])
  })

  it('finds the models that the key may use', () => {
    const cache = readFileSync(join(line.home, '.claude/cache/gateway-models.json'), 'utf8')
    expect(cache).toContain('anthropic/claude-sonnet-4-5')
  })

  it('counts tokens as the provider does', async () => {
    const { code, output } = await claude('/context')
    expect(code, output).toBe(0)
    const counts = line.sent.filter(({ url }) => url.startsWith('/v1/messages/count_tokens'))
    expect(counts.length).toBeGreaterThan(1)
    expect(counts.every(({ answer }) => answer?.status === 200)).toBe(true)
    expect(output).toContain(`${(countedTokens / 1000).toFixed(1)}k`)
  })

  it('is told at once of a model that is not there', async () => {
    const before = line.sent.length
    const { code, output } = await claude('Greet me', '--model', 'nobody/nothing')
    expect(code).not.toBe(0)
    expect(output).toMatch(/nobody\/nothing/)
    // Once streamed, once plain.
    expect(line.sent.slice(before).filter(({ answer }) => answer?.status === 404).length).toBeLessThan(3)
  })
})
