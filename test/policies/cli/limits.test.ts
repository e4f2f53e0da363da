import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { startTestControlPlane } from '../../control-plane/test-control-plane.ts'
import { createTestDatabase } from '../../support/database.ts'

const plane = await startTestControlPlane(await createTestDatabase())
afterAll(() => plane.stop())
const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))

/** One run of `signalbox limits`. */
function limits(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH,
    SIGNALBOX_CONTROL_PLANE_URL: plane.url,
    SIGNALBOX_TOKEN: plane.rootToken,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, 'limits', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

test('signalbox limits sets, lists and deletes, with the reply of the API on stdout', async () => {
  await plane.client.createTeam({ name: 'search' })
  const options = ['--team', 'search', '--tokens', '2_000_000', '--per', 'day', '--metadata', 'tier=free']
  const made = JSON.parse((await limits('set', ...options, '--each', 'user', '--json')).stdout)
  expect(made).toMatchObject({
    ...{ path: 'search', unit: 'tokens', window: 'day', limit: 2_000_000, mode: 'hard', per: 'user' },
    metadata: { name: 'tier', value: 'free' },
  })
  const listed = await limits('list')
  expect(listed.stdout).toMatch(/search\s+2000000 tokens per day\s+tier=free, each user\s+hard/)
  const wrong = await limits('set', '--team', 'search', '--requests', 'ten')
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('"ten"')])
  const both = await limits('set', '--team', 'search', '--requests', '1', '--concurrency', '1')
  expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('Give one of')])
  expect((await limits('delete', made.id)).code).toBe(0)
  expect((await plane.client.listLimits()).items).toEqual([])
}, 90_000)
