import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, test } from 'vitest'
import { parseRamp } from '../../../policies/cli/ramp-plan.ts'
import { startTestControlPlane } from '../../control-plane/test-control-plane.ts'
import { workspaceFiles } from '../../control-plane/workspace-files.ts'
import { createTestDatabase } from '../../support/database.ts'

const plane = await startTestControlPlane(await createTestDatabase())
const folder = mkdtempSync(join(tmpdir(), 'signalbox-deploy-'))
afterAll(async () => {
  await plane.stop()
  rmSync(folder, { recursive: true, force: true })
})
const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))

/** One run of `signalbox`. */
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

function write(name: string, change: Readonly<Record<string, string>> = {}): string {
  for (const { path, text } of workspaceFiles(change)) {
    const file = join(folder, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return join(folder, name)
}

const yaml = (more: string) => `name: acme
models:
  smart: [openai/gpt-5.5]
metadata:
  feature: { type: string }
  tier: { enum: [free, paid] }
${more}`

test('push, promote, ramp, roll back, freeze and approve, as one types them', async () => {
  const pushed = await signalbox('push', write('first'), '--env', 'staging')
  expect([pushed.code, pushed.stdout]).toEqual([0, expect.stringContaining('staging: acme v1 stable')])
  const second = await plane.client.pushVersion({ files: workspaceFiles({ 'signalbox.yaml': yaml('') }) })
  const version = `v${second.version}`
  const canary = ['--ramp', '10%@30m,50%@2h/1000,100%', '--by', 'key']
  const ramp = await signalbox('promote', version, '--env', 'staging', ...canary)
  expect(ramp.stdout).toContain(`staging: acme v1 stable, ${version} 10% by key → 50% → 100%`)
  const status = await signalbox('status', '--env', 'staging')
  expect(status.stdout).toContain('0 calls of the candidate, 0 of stable: waiting')
  expect(status.stdout).toContain('upstreamErrors - against -: waiting')
  const back = await signalbox('rollback', '--env', 'staging', '--reason', 'no')
  expect(back.stdout).toContain('staging: acme v1 stable')
  const frozen = await signalbox('freeze', '--env', 'staging', '--reason', 'Black Friday')
  expect(frozen.stdout).toContain('staging: frozen: deployments by root: Black Friday')
  const refused = await signalbox('promote', version, '--env', 'staging', '--canary', '5%')
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('signalbox unfreeze --env staging'),
  ])

  const guarded = write('guarded', {
    'signalbox.yaml': yaml('environments:\n  production: { approvals: 1 }\n'),
  })
  const asked = await signalbox('push', guarded, '--env', 'production')
  expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('awaiting_approval')])
  const { items } = await plane.client.listApprovals()
  const own = await signalbox('approve', items[0]?.id ?? '', '--person', 'Jane Doe')
  expect([own.code, own.stderr]).toEqual([1, expect.stringContaining('somebody else has to agree')])
}, 120_000)

describe('a ramp plan', () => {
  it('is shares with times and calls', () => {
    expect(parseRamp('5%@30m,25%@2h/1000,100%')).toEqual([
      { ppm: 50_000, minMs: 1_800_000, minCalls: 300 },
      { ppm: 250_000, minMs: 7_200_000, minCalls: 1000 },
      { ppm: 1_000_000, minMs: 0, minCalls: 300 },
    ])
  })

  it('that cannot be is refused with the step', () => {
    for (const text of ['5', '0%', '101%', '5%@soon', '5%/many', '']) expect(() => parseRamp(text)).toThrow()
  })
})
