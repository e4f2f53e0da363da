import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Program, startControlPlane, startProgram } from '../support/programs.ts'

type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

const folder = mkdtempSync(join(tmpdir(), 'signalbox-none-'))
let controlPlane: ControlPlane
let gateway: Program
const keys: Record<string, string> = {}

beforeAll(async () => {
  controlPlane = await startControlPlane(join(folder, 'control-plane'))
  const yaml = 'name: trial\nmetadata:\n  feature: { type: string }\n'
  const { client } = controlPlane
  await client.pushVersion({ files: [{ path: 'signalbox.yaml', text: yaml }], environment: 'development' })
  for (const name of ['quiet', 'loud', 'veiled']) {
    await client.createTeam({ name })
    keys[name] = (await client.createKey({ team: name, name })).key
  }
  const { token, trustRoot } = await client.enrollGateway({ environment: 'development' })
  gateway = await startProgram('gateway', {
    SIGNALBOX_CONTROL_PLANE_URL: controlPlane.url,
    SIGNALBOX_GATEWAY_TOKEN: token,
    SIGNALBOX_TRUST_ROOT: trustRoot,
    SIGNALBOX_DATA_DIR: join(folder, 'gateway'),
    SIGNALBOX_LOG_LEVEL: 'trace',
  })
  await gateway.ready()
}, 120_000)
afterAll(async () => {
  await gateway?.stop()
  await controlPlane?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const call = (key: string | undefined, mark: string, model: string) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'user-agent': `agent-${mark}`,
      'x-signalbox-session': `session-${mark}`,
      'x-signalbox-metadata': JSON.stringify({ feature: `feature-${mark}`, [`odd-${mark}`]: mark }),
    },
    body: JSON.stringify({
      model,
      user: `user-${mark}`,
      messages: [{ role: 'user', content: `prompt ${mark}` }],
    }),
  })

/** Files below a folder that hold a text, packed or not. */
function filesWith(mark: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  return names.flatMap((entry) => {
    if (!entry.isFile()) return []
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    const packed =
      bytes.readUInt32LE !== undefined && bytes.length > 4 && bytes.readUInt32LE(0) === 0xfd2fb528
    const text = packed ? zstdDecompressSync(bytes) : bytes
    return text.includes(mark) ? [path] : []
  })
}
const exported = async (team: string) =>
  Buffer.from(await controlPlane.client.exportRecords({ team })).toString('utf8')

it('leaves nothing of a call where retention is none: not in journal, database or logs', async () => {
  const { client } = controlPlane
  await client.setRetention({ team: 'veiled', bodies: 14, facts: 'masked' })
  const rule = await client.setRetention({ team: 'quiet', bodies: 'none' })
  expect(rule.pending).toBeUndefined()
  for (const [name, mark] of [
    ['quiet', 'MARK-quiet-90210'],
    ['loud', 'MARK-loud-90210'],
  ] as const) {
    expect((await call(keys[name], mark, 'openai/gpt-5.2')).status).toBe(200)
    expect((await call(keys[name], mark, `unknown-${mark}`)).status).toBe(200)
    expect((await call(keys[name], mark, 'anthropic-none/x')).status).not.toBe(500)
  }
  expect((await call(keys.veiled, 'MARK-veiled-90210', 'openai/gpt-5.2')).status).toBe(200)
  await eventually(async () => expect((await client.listRecords({})).items).toHaveLength(7))
  expect(JSON.parse((await exported('veiled')).split('\n')[0] ?? '')).toMatchObject({
    row: { metadata: {} },
    body: {
      factsClass: 'masked',
      facts: { request: { model: { requested: 'openai/gpt-5.2' }, metadata: {} } },
      masked: [
        'request.client',
        'request.metadata.feature',
        'session',
        'subject.keyName',
        'subject.stickyKey',
        'subject.userId',
      ],
    },
  })
  const [quiet, loud] = [await exported('quiet'), await exported('loud')]
  expect(loud).toContain('feature-MARK-loud-90210')
  expect(quiet).not.toContain('MARK')
  const [first] = quiet.split('\n')
  expect(JSON.parse(first ?? '')).toMatchObject({
    row: {
      target: expect.stringContaining('gpt-5.2'),
      factsDigest: expect.stringMatching(/^sha256:/),
      metadata: {},
    },
    body: { factsClass: 'digest', attempts: [{ winner: true, usage: { input: expect.any(Number) } }] },
  })
  // What PostgreSQL has in memory goes to its files.
  await gateway.stop()
  await controlPlane.stop()
  expect(filesWith('MARK-loud-90210')).not.toEqual([])
  expect(filesWith('MARK-quiet-90210')).toEqual([])
  for (const what of ['agent', 'feature', 'session', 'user']) {
    expect(filesWith(`${what}-MARK-veiled-90210`)).toEqual([])
  }
  expect(gateway.output() + controlPlane.output()).not.toContain('MARK-quiet-90210')
}, 60_000)
