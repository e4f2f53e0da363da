import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { formatAmount, parseAmount } from '../../../policies/cli/amounts.ts'
import { startTestControlPlane } from '../../control-plane/test-control-plane.ts'
import { createTestDatabase } from '../../support/database.ts'

const plane = await startTestControlPlane(await createTestDatabase())
afterAll(() => plane.stop())
const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))

/** One run of the CLI. */
function signalbox(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH,
    SIGNALBOX_CONTROL_PLANE_URL: plane.url,
    SIGNALBOX_TOKEN: plane.rootToken,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

test('signalbox budgets sets, lists and deletes, with the reply of the API on stdout', async () => {
  await plane.client.createTeam({ name: 'search' })
  const set = [
    'budgets',
    'set',
    '--team',
    'search',
    '--window',
    'month',
    '--limit',
    '10.00',
    '--mode',
    'hard',
  ]
  const made = JSON.parse((await signalbox(...set, '--json')).stdout)
  expect(made).toMatchObject({ path: 'search', limit: '10000000000', window: 'month', mode: 'hard' })
  const listed = await signalbox('budgets', 'list')
  expect(listed.stdout).toMatch(/search\s+month\s+hard\s+\$10\.00/)
  const wrong = await signalbox('budgets', 'set', '--team', 'search', '--window', 'month', '--limit', 'ten')
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('"ten" is no amount')])
  expect((await signalbox('budgets', 'delete', made.id)).code).toBe(0)
  expect((await plane.client.listBudgets()).items).toEqual([])
})

test('amounts are exact', () => {
  expect(['10.00', '$0.000000001', '1_000'].map((text) => parseAmount(text, 'usd'))).toEqual([
    '10000000000',
    '1',
    '1000000000000',
  ])
  expect(parseAmount('2_000_000', 'tokens')).toBe('2000000')
  for (const text of ['', '-1', '1.0000000001', '1e3', '1.5.2'])
    expect(() => parseAmount(text, 'usd')).toThrow('amount')
  expect(() => parseAmount('1.5', 'tokens')).toThrow('whole number')
  expect(['10000000000', '1', '2500000000'].map((each) => formatAmount(each, 'usd'))).toEqual([
    '$10.00',
    '$0.000000001',
    '$2.50',
  ])
})
