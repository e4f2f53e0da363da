import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentLine, type AgentRun, startAgentLine } from '../support/agent-line.ts'
import { describeWith } from '../support/needs.ts'

describeWith('cline', 'Cline', () => {
  let line: AgentLine
  const cline = (...args: string[]): Promise<AgentRun> => line.run('cline', args, {})
  const choose = (model: string): Promise<AgentRun> =>
    cline('auth', '-p', 'openai-compatible', '-k', line.key, '-b', `${line.url}/v1`, '-m', model)

  beforeAll(async () => {
    line = await startAgentLine()
    line.model.play('Greet me', { text: 'Hello from a model that nobody pays for.' })
    line.model.play(
      'Change the answer',
      { tool: 'read_files', arguments: { files: [{ path: line.notes }] } },
      { tool: 'run_commands', arguments: { commands: [`sed -i s/42/43/ ${line.notes}`] } },
      { text: 'Changed it to 43.' },
    )
  }, 120_000)
  afterAll(() => line?.stop())

  it('gets a text with its usage', async () => {
    expect((await choose('anthropic/claude-sonnet-4-5')).code).toBe(0)
    const { code, output, errors } = await cline('--json', '-t', '60', 'Greet me, please')
    expect(code, errors).toBe(0)
    expect(output).toContain('"text":"Hello from a model that nobody pays for."')
    expect(output).toContain('"inputTokens":1200')
  })

  it.each([
    'openai/gpt-4.1',
    'anthropic/claude-sonnet-4-5',
    'google/gemini-2.5-flash',
  ])('reads and changes a file with %s', async (model) => {
    await choose(model)
    line.writeNotes()
    const { code, output, errors } = await cline('--json', '-t', '60', 'Change the answer, please')
    expect(code, errors).toBe(0)
    expect(output).toContain('"text":"Changed it to 43."')
    expect(line.readNotes()).toBe('The answer is 43.\n')
    expect(line.sent.at(-1)?.answer?.headers['x-signalbox-dropped']).toBeUndefined()
  })
})
