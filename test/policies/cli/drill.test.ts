import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'

const simulated = { status: 'simulated', credential: undefined, missing: 'OPENAI_API_KEY' } as const
const workspace = `name: acme
models:
  smart: [openai/gpt-5.2, anthropic/claude-sonnet-4-5]
  alone: [openai/gpt-5.2]
`
let gateway: RunningGateway
let dir: string
beforeAll(async () => {
  gateway = await startGateway({
    defaults: { drillMs: 100 },
    snapshot: memorySnapshot({
      connections: [connectionOf('openai', simulated), connectionOf('anthropic', simulated)],
      aliases: { smart: ['openai/gpt-5.2', 'anthropic/claude-sonnet-4-5'], alone: ['openai/gpt-5.2'] },
    }),
  })
  dir = mkdtempSync(join(tmpdir(), 'signalbox-drill-'))
  writeFileSync(join(dir, 'signalbox.yaml'), workspace)
})
afterAll(async () => {
  await gateway.close()
  rmSync(dir, { recursive: true, force: true })
})

/** One run of the CLI. */
function drill(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))
  const all = ['drill', ...args, '--key', memoryKey, '--gateway', gateway.url]
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...all],
      { env: { PATH: process.env.PATH } },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      },
    )
  })
}

test('signalbox drill proves every fallback of a workspace, and its score card says so', async () => {
  const { code, stdout } = await drill(dir, '--json')
  const { routes } = JSON.parse(stdout)
  expect(routes).toHaveLength(1)
  expect(routes[0]).toMatchObject({ model: 'smart', held: 16, of: 16 })
  expect(routes[0].results[0]).toMatchObject({
    fault: '429',
    stream: false,
    outcome: 'held',
    target: 'simulated/claude-sonnet-4-5',
    status: 200,
  })
  expect(code).toBe(0)
  expect(gateway.records.every(({ body }) => body.attempts[0]?.drill !== undefined)).toBe(true)
})

test('golden prompts of a file say what a fallback has to answer', async () => {
  const file = join(dir, 'golden.yaml')
  const expected = '{ contains: [no simulation says this] }'
  writeFileSync(file, `- { name: hello, messages: [{ role: user, content: Hi }], expect: ${expected} }\n`)
  const wrong = await drill('--model', 'smart', '--fault', '529', '--golden', file, '--json')
  expect(wrong.code).toBe(1)
  expect(JSON.parse(wrong.stdout).routes[0]).toMatchObject({
    held: 0,
    of: 2,
    results: [{ outcome: 'wrong', unmet: ['lacks "no simulation says this"'] }, { outcome: 'wrong' }],
  })
})

test('a route with nothing to fall back to does not hold', async () => {
  const { code, stdout, stderr } = await drill('--model', 'alone', '--fault', '529')
  expect(code).toBe(1)
  expect(stdout).toContain('alone  0 of 2 held')
  expect(stdout).toMatch(/529\s+no\s+fell\s+simulated\/gpt-5\.2\s+529/)
  expect(stderr).toContain('2 drills did not hold')
})

test('what is no fault is refused before anything is sent', async () => {
  const { code, stderr } = await drill('--model', 'smart', '--fault', 'fire')
  expect(code).toBe(1)
  expect(stderr).toContain('not "fire"')
})
