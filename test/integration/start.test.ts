import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadFactor } from '../support/load-factor.ts'
import {
  cleanEnvironment,
  descendantsOf,
  isAlive,
  type RunningSignalbox,
  startSignalbox,
} from '../support/running-signalbox.ts'

const cli = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-start-'))
let signalbox: RunningSignalbox

/** Runs the CLI as a user does beside the data folder of the start. */
function run(args: readonly string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      {
        env: {
          ...cleanEnvironment(),
          SIGNALBOX_DATA_DIR: dataDir,
          SIGNALBOX_CONTROL_PLANE_URL: signalbox.controlPlaneUrl,
          SIGNALBOX_TOKEN: signalbox.rootKey,
        },
      },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

let startedInMs = 0
let startMsMax = 0
beforeAll(async () => {
  const from = performance.now()
  signalbox = await startSignalbox({ dataDir })
  startedInMs = performance.now() - from
  startMsMax = 20_000 * loadFactor()
}, 120_000)
afterAll(async () => {
  await signalbox?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('signalbox start', () => {
  it('prints a curl line that answers when it is pasted, within 20 s of the start of a quiet machine', async () => {
    await expect.poll(() => signalbox.output()).toContain('curl ')
    const printed = signalbox.output()
    const command = printed.slice(printed.indexOf('curl '), printed.indexOf("}]}'") + 4)
    const answer = execFileSync('sh', ['-c', `${command} -s`], { encoding: 'utf8' })
    expect(JSON.parse(answer).choices[0].message.content.length).toBeGreaterThan(0)
    expect(startedInMs).toBeLessThan(startMsMax)
  })

  it('keeps secrets readable by their owner alone', () => {
    for (const name of ['local.json']) expect(statSync(join(dataDir, name)).mode & 0o077, name).toBe(0)
  })

  it('says so when the folder has an owner already', async () => {
    const second = startSignalbox({ dataDir })
    await expect(second).rejects.toThrow(/in use|already|another|owner|belongs/i)
  }, 90_000)
})

describe('the CLI', () => {
  it('prints exactly one JSON document with --json, the reply of the operation', async () => {
    const team = await run(['teams', 'create', 'search', '--json'])
    expect(team.code).toBe(0)
    expect(JSON.parse(team.stdout)).toMatchObject({ name: 'search', kind: 'team' })
    const key = await run(['keys', 'create', '--team', 'search', '--name', 'ci', '--json'])
    expect(JSON.parse(key.stdout).key).toMatch(/^sb_d[0-9A-Za-z]{24}_[0-9A-Za-z]{6}$/)
    const enrolled = await run(['gateways', 'enroll', '--env', 'staging', '--json'])
    expect(Object.keys(JSON.parse(enrolled.stdout))).toEqual(expect.arrayContaining(['token', 'trustRoot']))
    const status = await run(['status', '--json'])
    expect(JSON.parse(status.stdout).environments.length).toBeGreaterThan(0)
  })

  it('ends with 1 and already_exists for an existing name, with 0 where that is fine', async () => {
    await run(['teams', 'create', 'twice'])
    const again = await run(['teams', 'create', 'twice', '--json'])
    expect(again.code).toBe(1)
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'already_exists' } })
    const fine = await run(['teams', 'create', 'twice', '--if-missing', '--json'])
    expect(fine.code).toBe(0)
    expect(JSON.parse(fine.stdout)).toMatchObject({ name: 'twice' })
  })

  it('ends with 2 for wrong usage and 0 for help with examples', async () => {
    expect((await run(['promote'])).code).toBe(2)
    expect((await run(['nonsense'])).code).toBe(2)
    const help = await run(['push', '--help'])
    expect(help.code).toBe(0)
    expect(help.stdout).toContain('Examples:')
  })

  it('writes a workspace, checks it, tests it, pushes it', async () => {
    const folder = join(dataDir, 'acme')
    expect((await run(['init', folder, '--name', 'acme'])).code).toBe(0)
    expect((await run(['check', folder])).stdout).toMatch(/\d+\/\d+ conditions analysable/)
    const tested = await run(['test', folder, '--coverage'])
    expect(tested.stdout + tested.stderr).toMatch(/passed/)
    expect(tested.code).toBe(0)
    const pushed = JSON.parse((await run(['push', folder, '--json'])).stdout)
    expect(pushed).toMatchObject({ workspace: 'acme', created: true })
    expect(JSON.parse((await run(['push', folder, '--json'])).stdout)).toMatchObject({
      digest: pushed.digest,
      created: false,
    })
  })

  it('points at what is wrong as file:line:column', async () => {
    const folder = join(dataDir, 'broken')
    await run(['init', folder])
    const file = join(folder, 'policies/canary.policy.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('f.request', 'f.requets'))
    const checked = await run(['check', folder])
    expect(checked.code).toBe(1)
    expect(checked.stderr).toMatch(/policies\/canary\.policy\.ts:\d+:\d+ error /)
  })

  it('follows and explains records', async () => {
    const key = await signalbox.createKey('search')
    const answer = await fetch(`${signalbox.gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    const id = answer.headers.get('x-signalbox-decision') ?? ''
    await expect.poll(async () => (await run(['explain', id])).code, { timeout: 15_000 }).toBe(0)
    expect((await run(['explain', id])).stdout).toMatch(/sensitive-stays-local/)
    const file = join(dataDir, 'call.json')
    const explained = await run(['explain', id, '--save', file, '--json'])
    expect(JSON.parse(explained.stdout)).toMatchObject({
      verification: { status: 'same' },
      decision: { schema: 'decision/1' },
      policies: [{ id: 'sensitive-stays-local' }, { id: 'budget-downgrade' }, { id: 'canary' }],
    })
    const offline = ['explain', '--record', file, join(dataDir, 'workspace')]
    const { code, stdout } = await run(offline)
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('the same decision') })
    expect(stdout).not.toContain('\u001b')
    expect((await run(['explain'])).code).toBe(2)
    writeFileSync(file, '{"row":1}')
    expect(await run(offline)).toMatchObject({ code: 1, stderr: expect.stringContaining('call.json') })
    expect(JSON.parse((await run(['records', '--json'])).stdout).items[0].id).toBeDefined()
  }, 90_000)

  it('pulls facts of real calls as fixtures, masked and each once, which cases can start from', async () => {
    const key = await signalbox.createKey('search')
    for (const content of ['Hello', 'Hello', 'Hello']) {
      const answer = await fetch(`${signalbox.gatewayUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'openai/gpt-5.2', user: 'ada', messages: [{ role: 'user', content }] }),
      })
      expect(answer.status).toBe(200)
    }
    const folder = join(dataDir, 'fixtures')
    await run(['init', folder, '--name', 'pulled'])
    const pull = ['test', 'fixtures', 'pull', folder, '--where', 'team=search,effect=allow', '--json']
    await expect
      .poll(async () => JSON.parse((await run(pull)).stdout || '{}').duplicates ?? 0, { timeout: 10_000 })
      .toBeGreaterThan(2)
    const [path = ''] = readdirSync(join(folder, 'fixtures/prod'))
    const text = readFileSync(join(folder, 'fixtures/prod', path), 'utf8')
    expect(path).toMatch(/^[0-9a-f-]{36}\.facts\.json$/)
    expect(text).toContain('masked-')
    expect(text).not.toContain('"ada"')
    const cases = `bundle: all\nfacts: fixtures/prod/${path}\ncases:\n  - { name: a, expect: { effect: allow } }\n`
    writeFileSync(join(folder, 'tests/prod.cases.yaml'), cases)
    expect(await run(['test', folder, '--runs', '1'])).toMatchObject({ code: 0 })
  })

  it('stores a secret from stdin and never shows it', async () => {
    const folder = join(dataDir, 'secret')
    await run(['init', folder, '--name', 'starter'])
    const set = await run(['connections', 'set', 'openai', '--json'], 'sk-very-secret-value\n')
    expect(set.code).toBe(0)
    const listed = await run(['connections', 'list', '--json'])
    expect(set.stdout + listed.stdout + signalbox.output()).not.toContain('very-secret-value')
  })
})

describe('the end of a start', () => {
  it('drains both programs, leaves no process, and a second start keeps all data', async () => {
    const children = descendantsOf(signalbox.process.pid ?? 0)
    expect(children.length).toBeGreaterThan(1)
    expect(await signalbox.stop('SIGINT')).toBe(0)
    expect(children.filter((each) => isAlive(each.pid))).toEqual([])
    const from = performance.now()
    signalbox = await startSignalbox({ dataDir })
    expect(performance.now() - from).toBeLessThan(15_000 * loadFactor())
    const { items } = await signalbox.client.listTeams()
    expect(items.map((team) => team.name)).toContain('search')
    expect((await signalbox.client.listRecords({})).items.length).toBeGreaterThan(0)
  })

  it('comes by SIGTERM as well', async () => {
    expect(await signalbox.stop('SIGTERM')).toBe(0)
    signalbox = await startSignalbox({ dataDir })
  })
})
