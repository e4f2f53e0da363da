import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { parseUntil } from '../../../policies/cli/budget-operator.ts'
import { startTestControlPlane } from '../../control-plane/test-control-plane.ts'
import { createTestDatabase } from '../../support/database.ts'

const plane = await startTestControlPlane(await createTestDatabase())
const folder = mkdtempSync(join(tmpdir(), 'signalbox-audit-'))
const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))
afterAll(async () => {
  await plane.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** One run of the CLI. */
function signalbox(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...{ PATH: process.env.PATH, SIGNALBOX_CONTROL_PLANE_URL: plane.url, SIGNALBOX_TOKEN: plane.rootToken },
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

test('signalbox audit exports what it can then verify alone, and finds what was changed in the file', async () => {
  for (const name of ['a', 'b', 'c']) await plane.client.createTeam({ name })
  const [exported, verified] = await Promise.all([
    signalbox('audit', 'export'),
    signalbox('audit', 'verify', '--json'),
  ])
  const lines = exported.stdout.trim().split('\n')
  const { rows, head, broken } = JSON.parse(verified.stdout)
  expect([rows, broken, lines.length]).toEqual([lines.length, null, lines.length])
  const forged = join(folder, 'forged.ndjson')
  const cut = join(folder, 'cut.ndjson')
  writeFileSync(forged, exported.stdout.replace('"createTeam"', '"createKey"'))
  writeFileSync(cut, `${lines.slice(0, -1).join('\n')}\n`)
  const [bad, short] = await Promise.all([
    signalbox('audit', 'verify', '--file', forged),
    signalbox('audit', 'verify', '--file', cut, '--head', `${head.sequence}:${head.hash}`),
  ])
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/Row \d+ is not as it was written/)])
  expect([short.code, short.stderr]).toEqual([1, expect.stringContaining('not the one of the head')])
}, 120_000)

test('signalbox budgets override and reconcile, and webhooks, speak with the control plane', async () => {
  await plane.client.createTeam({ name: 'search' })
  const { id } = await plane.client.setBudget({ team: 'search', window: 'total', limit: '1000000000' })
  const [override, reconcile, refused] = await Promise.all([
    signalbox('budgets', 'override', id, '--limit', '2.50', '--until', '36h', '--reason', 'launch', '--json'),
    signalbox('budgets', 'reconcile'),
    signalbox('webhooks', 'create', 'https://10.0.0.1/'),
  ])
  expect(JSON.parse(override.stdout)).toMatchObject({ override: { limit: '2500000000', reason: 'launch' } })
  expect([reconcile.code, reconcile.stdout]).toEqual([0, expect.stringContaining('0 differences')])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('SIGNALBOX_WEBHOOK_HOSTS')])
}, 120_000)

test('an end is a length or a time', () => {
  expect(parseUntil('90m', 1000)).toBe(1000 + 5_400_000)
  expect(parseUntil('2026-12-24T18:00Z', 0)).toBe(Date.UTC(2026, 11, 24, 18))
  for (const text of ['', 'soon', '5w', '-1h', '12']) expect(() => parseUntil(text, 0)).toThrow('--until')
})
