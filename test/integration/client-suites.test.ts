import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LLMock } from '@copilotkit/aimock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aiSdkSuites, runVercelGateway } from '../support/client-scenarios/ai-sdk-clients.ts'
import { runAnthropic } from '../support/client-scenarios/anthropic-client.ts'
import { runGoogle } from '../support/client-scenarios/google-client.ts'
import { runOpenAiChat, runOpenAiResponses } from '../support/client-scenarios/openai-client.ts'
import { startScenarioSimulator } from '../support/client-scenarios/scenario-simulator.ts'
import { type ClientTarget, withoutVarying } from '../support/client-scenarios/scenarios.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { describeWith, pythonWithClients } from '../support/needs.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

const execute = promisify(execFile)
const suites = {
  'openai (Chat Completions, embeddings)': runOpenAiChat,
  'openai (Responses)': runOpenAiResponses,
  '@anthropic-ai/sdk': runAnthropic,
  '@google/genai': runGoogle,
  ...aiSdkSuites,
}

let simulator: LLMock
let gateway: RunningGateway
let straight: ClientTarget
let through: ClientTarget

beforeAll(async () => {
  simulator = await startScenarioSimulator()
  gateway = await startGateway({
    snapshot: memorySnapshot({
      connections: [
        connectionOf('openai', { baseUrl: `${simulator.url}/v1` }),
        connectionOf('anthropic', { baseUrl: simulator.url }),
        connectionOf('google', { provider: 'gemini', baseUrl: simulator.url }),
      ],
    }),
  })
  straight = { url: simulator.url, key: 'upstream-key' }
  through = { url: gateway.url, key: memoryKey }
})
afterAll(async () => {
  await gateway.close()
  await simulator.stop()
})

describe.each(Object.entries(suites))('%s', (_name, run) => {
  it('reads through Signalbox what it reads straight from the provider', async () => {
    const expected = withoutVarying(await run(straight))
    const got = withoutVarying(await run(through))
    expect(JSON.stringify(expected)).toContain('It is raining in York.')
    expect(got).toEqual(expected)
  })
})

describeWith('python', 'the official Python clients', () => {
  const runPython = async ({ url, key }: ClientTarget): Promise<unknown> => {
    const script = fileURLToPath(new URL('../support/client_scenarios.py', import.meta.url))
    const { stdout } = await execute(pythonWithClients(), [script, url, key], { maxBuffer: 16 * 1024 * 1024 })
    return withoutVarying(JSON.parse(stdout))
  }

  it('read through Signalbox what they read straight from the providers', async () => {
    const [expected, got] = await Promise.all([runPython(straight), runPython(through)])
    expect(got).toEqual(expected)
  }, 60_000)
})

describe('@ai-sdk/gateway', () => {
  it.each([
    ['openai/gpt-4.1', '@ai-sdk/openai (chat)'],
    ['anthropic/claude-opus-4-8', '@ai-sdk/anthropic'],
    ['google/gemini-2.5-flash', '@ai-sdk/google'],
  ])('reads of %s what %s reads', async (model, name) => {
    const expected = await suites[name as keyof typeof suites](straight)
    const got = await runVercelGateway(through, model)
    const texts = (results: Record<string, unknown>): unknown =>
      [results.plain, results.image].map((each) => (each as { text: string }).text)
    expect(texts(got)).toEqual(texts(expected))
    expect(got.toolLoop).toMatchObject({ text: 'It is raining in York.', finishReason: 'stop' })
    expect((got.stream as string[]).join('')).toBe((expected.stream as string[]).join(''))
    expect((got.output as unknown[])[0]).toEqual((expected.output as unknown[])[0])
    expect(got.error).toMatchObject({ statusCode: 400 })
  })
})
