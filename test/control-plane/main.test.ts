import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecret } from '@signalbox/sdk/node'
import { afterAll, expect, test } from 'vitest'
import { createEmptyDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { refusalOf } from './access-plane.ts'
import { failToStart, type MainProcess, startMain, stopMain } from './main-process.ts'

const top = mkdtempSync(join(tmpdir(), 'signalbox-main-'))
const folder = join(top, 'data')
const running: MainProcess[] = []
afterAll(async () => {
  for (const { child, ended } of running) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  }
  rmSync(top, { recursive: true, force: true })
})

async function start(env: Record<string, string> = {}, dataDir = folder): Promise<MainProcess> {
  const started = await startMain(dataDir, env)
  running.push(started)
  return started
}
const postmasterOf = (dataDir: string) =>
  Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])

test('the first start makes everything, in a folder for its owner alone; the second keeps it', async () => {
  const first = await start()
  for (const name of ['root-key', 'secret-key', 'postgres/password']) {
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600)
  }
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  const { id } = await first.client.createTeam({ name: 'kept' })
  expect(await stopMain(first)).toBe(0)
  expect(first.lines[0]).toMatchObject({ msg: 'listening', url: first.url })
  expect(first.lines.map((line) => line.msg)).toEqual(['listening', 'request', 'stopping', 'stopped'])
  expect(existsSync(join(folder, 'postgres/data/postmaster.pid'))).toBe(false)
  expect(existsSync(join(folder, 'owner.lock'))).toBe(false)

  const second = await start()
  expect((await second.client.listTeams()).items.find((each) => each.name === 'kept')?.id).toBe(id)
  expect(second.lines[0]?.startedMs).toBeLessThan(5000)
  expect(await stopMain(second, 'SIGINT')).toBe(0)
})

test('no secret stands in the log', async () => {
  const { client, lines } = await start()
  const { key } = await client.createKey({ team: 'kept', name: 'logged' })
  await client.setConnection({ name: 'openai', secret: 'sk-geheim' })
  const { token } = await client.createToken({ name: 't', role: 'developer' })
  const text = JSON.stringify(lines)
  for (const secret of [key, token, 'sk-geheim', readFileSync(join(folder, 'root-key'), 'utf8').trim()]) {
    expect(text).not.toContain(secret)
  }
  expect(text).toContain('createKey')
})

test('a second start in the same folder says so and ends', async () => {
  const first = running.at(-1)
  expect(await failToStart(folder)).toEqual({
    code: 1,
    message: expect.stringContaining(`in use by another Signalbox (process ${first?.child.pid})`),
  })
  expect((await first?.client.getMe())?.name).toBe('root')
})

test('while PostgreSQL is away requests are told so; it comes back by itself with all that was committed', async () => {
  const { client, url } = running.at(-1) ?? (await start())
  await client.createTeam({ name: 'committed' })
  const killed = postmasterOf(folder)
  process.kill(killed, 'SIGKILL')
  const seen = new Set<string>()
  await eventually(async () => {
    expect(postmasterOf(folder)).not.toBe(killed)
    const error = await client.listTeams().then(
      () => undefined,
      (thrown: { status: number; code: string }) => thrown,
    )
    if (error !== undefined) seen.add(`${error.status} ${error.code}`)
    expect(error).toBeUndefined()
  }, 10_000)
  expect([...seen].filter((each) => each !== '503 not_ready')).toEqual([])
  expect((await client.listTeams()).items.map((each) => each.name)).toContain('committed')
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200))
})

test('after kill -9 the next start takes over folder and server and keeps what was committed', async () => {
  const killed = running.at(-1) ?? (await start())
  await killed.client.createTeam({ name: 'before-kill' })
  const postmaster = postmasterOf(folder)
  killed.child.kill('SIGKILL')
  await killed.ended
  expect(existsSync(`/proc/${postmaster}`)).toBe(true)
  const next = await start()
  expect((await next.client.listTeams()).items.map((each) => each.name)).toContain('before-kill')
  expect(postmasterOf(folder)).not.toBe(postmaster)
})

test('drains by itself when the program that started it is gone', async () => {
  const orphan = running.at(-1) ?? (await start())
  orphan.child.disconnect()
  expect(await orphan.ended).toBe(0)
  expect(existsSync(join(folder, 'postgres/data/postmaster.pid'))).toBe(false)
})

test('another secret key than the one that the database was set up with ends the start, clearly', async () => {
  const secretKey = 'another secret key, long enough to be taken'
  expect(await failToStart(folder, { SIGNALBOX_SECRET_KEY: secretKey })).toEqual({
    code: 1,
    message: expect.stringContaining('needs a SIGNALBOX_SECRET_KEY that is not there'),
  })
})

test('settings that are wrong and a port in use end the start, clearly', async () => {
  const settings = await failToStart(folder, { SIGNALBOX_CONTROL_PLANE_PORT: 'eighty' })
  expect(settings).toMatchObject({
    code: 1,
    message: expect.stringContaining('SIGNALBOX_CONTROL_PLANE_PORT'),
  })
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  const { port } = blocker.address() as AddressInfo
  const inUse = await failToStart(folder, { SIGNALBOX_CONTROL_PLANE_PORT: String(port) })
  expect(inUse).toMatchObject({
    code: 1,
    message: expect.stringContaining(`port ${port} on 127.0.0.1 is in use`),
  })
  expect(existsSync(join(folder, 'postgres/data/postmaster.pid'))).toBe(false)
  blocker.close()
})

test('two that start at once on an empty shared database agree on one organisation', async () => {
  const env = {
    DATABASE_URL: await createEmptyDatabase(),
    SIGNALBOX_SECRET_KEY: 'a shared secret key, long enough to be taken',
    SIGNALBOX_ROOT_KEY: createSecret('root'),
    SIGNALBOX_ENVIRONMENT: 'qa',
  }
  const [one, two] = await Promise.all([start(env, join(top, 'one')), start(env, join(top, 'two'))])
  const [first, second] = [await one.client.getMe(), await two.client.getMe()]
  expect(first.organisation).toEqual(second.organisation)
  expect(first.environment).toBe('qa')
  expect((await two.client.listEnvironments()).items.map((each) => each.name)).toContain('qa')
  expect(readdirSync(join(top, 'one'))).toEqual(['owner.lock'])
  await one.client.createTeam({ name: 'seen-by-both' })
  expect((await two.client.listTeams()).items.map((each) => each.name)).toContain('seen-by-both')
  expect(await stopMain(one)).toBe(0)

  const changed = await start({ ...env, SIGNALBOX_ROOT_KEY: createSecret('root') }, join(top, 'one'))
  expect((await changed.client.getMe()).name).toBe('root')
  expect(await refusalOf(two.client.getMe())).toMatchObject({ status: 401, code: 'key_revoked' })
})
