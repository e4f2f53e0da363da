import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentLine, type AgentRun, startAgentLine } from '../support/agent-line.ts'
import { describeWith } from '../support/needs.ts'

const patch = [
  '*** Begin Patch',
  '*** Update File: notes.txt',
  '@@',
  '-The answer is 42.',
  '+The answer is 43.',
  '*** End Patch',
].join('\n')

describeWith('codex', 'Codex CLI', () => {
  let line: AgentLine
  const exec = ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '--json']
  const codex = (...args: string[]): Promise<AgentRun> =>
    line.run('codex', [...exec, ...args], { SIGNALBOX_KEY: line.key })

  beforeAll(async () => {
    line = await startAgentLine()
    const config = [
      'model = "gpt-5.5"',
      'model_provider = "signalbox"',
      'web_search = "disabled"',
      '[model_providers.signalbox]',
      'name = "Signalbox"',
      `base_url = "${line.url}/v1"`,
      'env_key = "SIGNALBOX_KEY"',
      'wire_api = "responses"',
      '',
    ]
    mkdirSync(join(line.home, '.codex'))
    writeFileSync(join(line.home, '.codex/config.toml'), config.join('\n'))
    line.model.play('Greet me', { text: 'Hello from a model that nobody pays for.' })
    line.model.play('What did you say', { text: 'I said hello.' })
    line.model.play(
      'Change the answer',
      { tool: 'exec_command', arguments: { cmd: 'cat notes.txt && sed -i s/42/43/ notes.txt' } },
      { text: 'Changed it to 43.' },
    )
    line.model.play(
      'Patch the answer',
      {
        tool: 'functions__exec',
        arguments: { input: `text(await tools.apply_patch(${JSON.stringify(patch)}))` },
      },
      { text: 'Patched it.' },
    )
    line.model.play(
      'Let another one greet',
      { tool: 'multi_agent_v1__spawn_agent', arguments: { message: 'Greet me', agent_type: 'default' } },
      { text: 'It greets.' },
    )
  }, 120_000)
  afterAll(() => line?.stop())

  it('gets a text, and the provider reads the very bytes that it sent', async () => {
    const [sent, upstream] = [line.sent.length, line.upstream.length]
    const { code, output } = await codex('Greet me')
    expect(code, output).toBe(0)
    expect(output).toContain('Hello from a model that nobody pays for.')
    expect(output).toContain('"input_tokens":1200')
    expect(line.upstream.slice(upstream).map(({ body }) => body)).toEqual(
      line.sent.slice(sent).map(({ body }) => body),
    )
    expect(line.sent.at(-1)?.body).toContain('reasoning.encrypted_content')
  })

  it('goes on with a conversation', async () => {
    const { output } = await codex('resume', '--last', 'What did you say?')
    expect(output).toContain('I said hello.')
    expect(line.upstream.at(-1)?.body).toContain('Hello from a model that nobody pays for.')
  })

  it.each([
    'gpt-5.5',
    'anthropic/claude-opus-4-8',
    'google/gemini-2.5-flash',
  ])('runs a command that changes a file with %s', async (model) => {
    line.writeNotes()
    const { code, output } = await codex('-m', model, 'Change the answer')
    expect(code, output).toBe(0)
    expect(output).toContain('Changed it to 43.')
    expect(line.readNotes()).toBe('The answer is 43.\n')
  })

  it('uses tools of a namespace with a model that knows no namespaces', async () => {
    const { code, output } = await codex('-m', 'anthropic/claude-opus-4-8', 'Let another one greet')
    expect(code, output).toBe(0)
    expect(output).toMatch(/"tool":"spawn_agent"[^\n]*"status":"completed"/)
    expect(line.upstream.some(({ body }) => body.includes('"multi_agent_v1__spawn_agent"'))).toBe(true)
  })

  it('applies a patch by a custom tool that stands in its input, where an alias leads to Claude', async () => {
    line.writeNotes()
    const patched = await codex('-m', 'gpt-5.6-sol', 'Patch the answer')
    expect(line.sent.at(-1)?.body.includes('"type":"additional_tools"')).toBe(true)
    expect(line.sent.at(-1)?.answer?.headers['x-signalbox-target']).toBe('anthropic/claude-opus-4-8')
    expect(patched.output).toContain('Patched it.')
    expect(line.readNotes()).toBe('The answer is 43.\n')
  })
})
