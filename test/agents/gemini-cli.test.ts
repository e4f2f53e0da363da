import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentLine, type AgentRun, startAgentLine } from '../support/agent-line.ts'
import { describeWith } from '../support/needs.ts'

describeWith('gemini', 'Gemini CLI', () => {
  let line: AgentLine
  const gemini = (prompt: string, ...args: string[]): Promise<AgentRun> =>
    line.run('gemini', ['--skip-trust', '--yolo', ...args, '--output-format', 'stream-json', '-p', prompt], {
      GEMINI_API_KEY: line.key,
      GOOGLE_GEMINI_BASE_URL: line.url,
    })

  beforeAll(async () => {
    line = await startAgentLine()
    mkdirSync(join(line.home, '.gemini'))
    const settings = { security: { auth: { selectedType: 'gemini-api-key' } } }
    writeFileSync(join(line.home, '.gemini/settings.json'), JSON.stringify(settings))
    line.model.play('Greet me', { text: 'Hello from a model that nobody pays for, in more than one piece.' })
    line.model.play('What did you say', { text: 'I said hello.' })
    line.model.play(
      'Change the answer',
      { tool: 'read_file', arguments: { file_path: line.notes } },
      {
        tool: 'replace',
        arguments: { file_path: line.notes, old_string: '42', new_string: '43', instruction: 'Add one' },
      },
      { text: 'Changed it to 43.' },
    )
  }, 120_000)
  afterAll(() => line?.stop())

  it('asks which model to take, then streams, and the provider reads the very bytes that it sent', async () => {
    const { code, output, errors } = await gemini('Greet me')
    expect(code, errors).toBe(0)
    expect(output.match(/"role":"assistant"/g)?.length).toBeGreaterThan(1)
    expect(line.upstream.map(({ url, body }) => [url, body])).toEqual(
      line.sent.map(({ url, body }) => [url, body]),
    )
    expect(line.sent[0]?.body).toContain('responseJsonSchema')
    expect(line.sent.at(-1)?.url).toMatch(/:streamGenerateContent\?alt=sse$/)
    expect(JSON.stringify(line.upstream)).not.toContain(line.key)
  })

  it('goes on with a conversation', async () => {
    const { code, output, errors } = await gemini('What did you say?', '--resume', 'latest')
    expect(code, errors).toBe(0)
    expect(output).toContain('I said hello.')
    expect(line.upstream.at(-1)?.body).toContain('Hello from a model that nobody pays for')
  })

  it.each([
    'gemini-2.5-flash',
    'openai/gpt-5.2',
    'anthropic/claude-sonnet-4-5',
  ])('reads and changes a file with %s', async (model) => {
    line.writeNotes()
    const { code, output, errors } = await gemini('Change the answer', '-m', model)
    expect(code, errors).toBe(0)
    expect(output).toContain('Changed it to 43.')
    expect(line.readNotes()).toBe('The answer is 43.\n')
    const [last] = line.sent.slice(-1)
    expect(last?.answer?.headers['x-signalbox-target']).toMatch(new RegExp(`${model}$`))
  })
})
