import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CallRecord } from '@signalbox/sdk/contract'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packSegment } from '../control-plane/segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from '../control-plane/test-control-plane.ts'
import { enrolGateway } from '../control-plane/test-gateway.ts'
import { createTestDatabase } from '../support/database.ts'
import { buildTraffic, RecordedTraffic, trafficFiles } from '../support/recorded-traffic.ts'

const program = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
const environment = 'development'
const calls = 150
/** Each verb is a process of its own, and builds workspaces. */
const slowMs = 120_000
let controlPlane: TestControlPlane
let records: CallRecord[] = []
const home = mkdtempSync(join(tmpdir(), 'signalbox-loop-'))

function writeWorkspace(name: string, change: Readonly<Record<string, string>> = {}): string {
  const folder = join(home, name)
  for (const [path, text] of Object.entries({ ...trafficFiles, ...change })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

function signalbox(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...{ PATH: process.env.PATH, HOME: home, SIGNALBOX_DATA_DIR: join(home, 'data') },
    SIGNALBOX_CONTROL_PLANE_URL: controlPlane.url,
    SIGNALBOX_TOKEN: controlPlane.rootToken,
  }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { cwd: home, env, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      },
    )
  })
}

beforeAll(async () => {
  controlPlane = await startTestControlPlane(await createTestDatabase())
  const gateway = await enrolGateway(controlPlane, environment)
  const files = Object.entries(trafficFiles).map(([path, text]) => ({ path, text }))
  const pushed = await controlPlane.client.pushVersion({ files, environment })
  const version = await buildTraffic()
  expect(version.digest).toBe(pushed.digest)
  const traffic = await RecordedTraffic.start(version)
  const startMs = Date.now() - 3_600_000
  records = Array.from({ length: calls }, (_, index) => {
    const { row, body } = traffic.record(index)
    const place = { timeMs: startMs + index * 1000, releaseSequence: pushed.deployment?.release ?? 0 }
    return { row: { ...row, ...place, version: pushed.version, stateSequence: 1 }, body }
  })
  traffic.dispose()
  for (const from of [0, 100]) {
    const some = records.slice(from, from + 100)
    const reply = await gateway.segment(packSegment(some), { records: some.length, incarnation: newId() })
    expect(reply.status).toBe(200)
  }
})
afterAll(async () => {
  await controlPlane.stop()
  rmSync(home, { recursive: true, force: true })
})

describe('signalbox replay', { timeout: slowMs }, () => {
  it('gives the recorded digest of a call, and again from a saved file without a control plane', async () => {
    const { id, decisionDigest } = records[3]?.row ?? { id: '' }
    const file = join(home, 'call.ndjson')
    const online = await signalbox('replay', id, '--save', file, '--json')
    expect(online).toMatchObject({ code: 0 })
    const document = { recordedDigest: decisionDigest, replayedDigest: decisionDigest, same: true }
    expect(JSON.parse(online.stdout)).toMatchObject(document)
    const client = await signalbox('replay', '--from', file, '--json')
    expect(client.code).toBe(0)
    expect(JSON.parse(client.stdout)).toMatchObject({ ...document, selection: { status: 'same' } })
  })

  it('checks all calls of a time, page by page', async () => {
    const { code, stdout } = await signalbox('replay', '--since', '2h', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      records: calls,
      same: calls,
      replayablePpm: 1_000_000,
    })
  })

  it('asks for a call or a time', async () => {
    expect(await signalbox('replay')).toMatchObject({ code: 2 })
  })
})

describe('signalbox backtest and plan', { timeout: slowMs }, () => {
  const pick = trafficFiles['policies/pick.policy.ts'] ?? ''

  it('count what a change would have done to recorded calls, and fail past a limit', async () => {
    const folder = writeWorkspace('moved', {
      'policies/pick.policy.ts': pick.replace('500_000', '1_000_000'),
    })
    const { code, stdout, stderr } = await signalbox('backtest', folder, '--max-changed', '5%', '--json')
    expect(code).toBe(1)
    expect(stderr).toContain('beyond its limits')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ ok: false, compared: calls, baseline: { version: 1 } })
    expect(report.transitions.target[0]).toMatchObject({ to: 'openai/gpt-5-mini' })
  })

  it('name what changes in meaning, what is weakened, and the impact', async () => {
    const free = (trafficFiles['policies/free.policy.json'] ?? '').replace('900', '1200')
    const folder = writeWorkspace('weaker', { 'policies/free.policy.json': free })
    const { code, stdout, stderr } = await signalbox('plan', folder, '--env', environment, '--json')
    expect(code).toBe(1)
    expect(stderr).toContain('constraints are weakened: free/long')
    const plan = JSON.parse(stdout)
    expect(plan).toMatchObject({
      deployed: { version: 1 },
      rebuilt: false,
      changes: [{ thing: 'rule', name: 'free/long', change: 'changed' }],
      weakened: [{ what: 'free/long' }],
      impact: { compared: calls, transitions: { outcome: [{ from: 'deny TOO_LONG', to: 'allow' }] } },
    })
    const allowed = await signalbox('plan', folder, '--allow-weakened', '--no-impact', '--format', 'markdown')
    expect(allowed.code).toBe(0)
    expect(allowed.stdout).toContain('### ⚠️ 1 weakened')
    expect(allowed.stdout).toContain('**free/long**')
  })

  it('price all calls with another model, by a metadata member', async () => {
    const folder = writeWorkspace('same')
    const { code, stdout } = await signalbox(
      'backtest',
      folder,
      '--what-if',
      'openai/gpt-5-mini',
      '--by',
      'feature',
      '--json',
    )
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ target: 'openai/gpt-5-mini', by: 'feature', records: calls })
    const groups: { group: string; whatIfNanoUsd: string }[] = report.groups
    expect(groups.map(({ group }) => group).sort()).toEqual(['polish', 'search', 'summary', 'support'])
    expect(groups.every(({ whatIfNanoUsd }) => BigInt(whatIfNanoUsd) > 0n)).toBe(true)
  })
})

describe('an export of records', () => {
  it('gives every record once, oldest first, with its body, whatever the size of a page', async () => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Uint8Array = await controlPlane.client.exportRecords({
        limit: 40,
        ...(cursor !== null && { cursor }),
      })
      const lines = Buffer.from(page).toString('utf8').trim().split('\n')
      const { end } = JSON.parse(lines.pop() ?? '')
      for (const line of lines) seen.push(JSON.parse(line).row.id)
      cursor = end.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(records.map(({ row }) => row.id))
  })

  it('refuses a cursor that it did not give', async () => {
    await expect(controlPlane.client.exportRecords({ cursor: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })
})
