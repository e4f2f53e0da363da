import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, afterEach, expect, test } from 'vitest'
import { FolderInUseError } from '../../../control-plane/data-folder.ts'
import {
  type PostgresOptions,
  type RunningPostgres,
  startPostgres,
} from '../../../control-plane/postgres/start.ts'
import { eventually } from '../../support/eventually.ts'
import { describeWith } from '../../support/needs.ts'

const holder = fileURLToPath(new URL('./hold-postgres.ts', import.meta.url))
/** Made by mkdtemp, so of mode 0700: nobody but its owner may even pass through it. */
const top = mkdtempSync(join(tmpdir(), 'signalbox-postgres-'))
const folder = join(top, 'postgres')
const data = join(folder, 'data')
const running: RunningPostgres[] = []
const children: ChildProcess[] = []

async function start(options: PostgresOptions = {}, where = folder): Promise<RunningPostgres> {
  const postgres = await startPostgres(where, options)
  running.push(postgres)
  return postgres
}

/** Starts it in a process of its own. */
async function startHolder(
  where: string,
  uid?: number,
): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const as = uid === undefined ? {} : { uid, gid: uid }
  const child = spawn(process.execPath, [holder, where], { stdio: ['ignore', 'pipe', 'pipe'], ...as })
  children.push(child)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended with ${code}: ${said}`))),
  ])
  return { child, ...(JSON.parse(String(line)) as { url: string; pid: number }) }
}

async function ask<T>(url: string, text: string): Promise<T | undefined> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text)).rows[0] as T | undefined
  } finally {
    await client.end()
  }
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
  for (const postgres of running.splice(0)) await postgres.stop()
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

test('starts below a folder of mode 0700, with a password that only its owner can read', async () => {
  const postgres = await start()
  expect(statSync(top).mode & 0o777).toBe(0o700)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'password')).mode & 0o777).toBe(0o600)
  expect(
    await ask(postgres.url, `select current_setting('server_version_num')::int / 10000 as major`),
  ).toEqual({
    major: 18,
  })
  expect(await ask(postgres.url, `select current_setting('fsync') as fsync`)).toEqual({ fsync: 'on' })
  await ask(postgres.url, 'create table kept (id int)')
  await ask(postgres.url, 'insert into kept values (1)')
})

test('lets nobody in without the password', async () => {
  const { url } = await start()
  const wrong = new URL(url)
  wrong.password = 'wrong'
  await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
})

test('keeps data, password and port from start to start', async () => {
  const first = await start()
  const { url } = first
  await first.stop()
  expect(existsSync(join(data, 'postmaster.pid'))).toBe(false)
  expect(existsSync(join(folder, 'owner.lock'))).toBe(false)
  const second = await start()
  expect(second.url).toBe(url)
  expect(await ask(second.url, 'select count(*)::int as count from kept')).toEqual({ count: 1 })
})

test('takes another port where the remembered one is in use', async () => {
  const first = await start()
  await first.stop()
  const blocker = await import('node:net').then(({ createServer }) => createServer())
  blocker.listen(Number(new URL(first.url).port), '127.0.0.1')
  await once(blocker, 'listening')
  const second = await start()
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port)
  expect(await ask(second.url, 'select 1 as one')).toEqual({ one: 1 })
  blocker.close()
})

test('a second start in a folder in use says so and leaves the first alone', async () => {
  const { child, url } = await startHolder(folder)
  await expect(startPostgres(folder)).rejects.toThrow(FolderInUseError)
  await expect(startPostgres(folder)).rejects.toThrow(`process ${child.pid}`)
  expect(await ask(url, 'select 1 as one')).toEqual({ one: 1 })
})

test('a server that is killed comes back on the same port with all that was committed', async () => {
  const exits: boolean[] = []
  const postgres = await start({ onExit: ({ restarting }) => exits.push(restarting) })
  const pid = postgres.pid() ?? 0
  await ask(postgres.url, 'insert into kept values (2)')
  process.kill(pid, 'SIGKILL')
  await eventually(async () => {
    expect(await ask(postgres.url, 'select count(*)::int as count from kept')).toEqual({ count: 2 })
  })
  expect(postgres.pid()).not.toBe(pid)
  expect(exits).toEqual([true])
})

test('a start after the owner and its server were both killed recovers', async () => {
  const { child, url, pid } = await startHolder(folder)
  await ask(url, 'insert into kept values (3)')
  child.kill('SIGKILL')
  await once(child, 'exit')
  process.kill(pid, 'SIGKILL')
  const next = await start()
  expect(await ask(next.url, 'select count(*)::int as count from kept')).toEqual({ count: 3 })
})

test('a server that outlived its killed owner is stopped and started anew', async () => {
  const { child, url, pid } = await startHolder(folder)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await ask(url, 'select count(*)::int as count from kept')).toEqual({ count: 3 })
  const next = await start()
  expect(next.pid()).not.toBe(pid)
  expect(await ask(next.url, 'select count(*)::int as count from kept')).toEqual({ count: 3 })
})

test('a leftover of a server whose id is now another program does not stop the start', async () => {
  writeFileSync(
    join(data, 'postmaster.pid'),
    `${process.pid}\n${data}\n1700000000\n1\n\n127.0.0.1\n0 0\nready   \n`,
  )
  const postgres = await start()
  expect(await ask(postgres.url, 'select 1 as one')).toEqual({ one: 1 })
})

test('what a kill in the middle of the first start left is made anew', async () => {
  const fresh = join(top, 'interrupted')
  mkdirSync(join(fresh, 'data.partial'), { recursive: true, mode: 0o700 })
  writeFileSync(join(fresh, 'data.partial', 'PG_VERSION'), '18\n')
  const postgres = await start({}, fresh)
  expect(await ask(postgres.url, 'select 1 as one')).toEqual({ one: 1 })
})

test('a server that cannot start says why, and the folder is free again', async () => {
  const broken = join(top, 'broken')
  mkdirSync(join(broken, 'data'), { recursive: true, mode: 0o700 })
  writeFileSync(join(broken, 'data', 'PG_VERSION'), '9.6\n')
  await expect(startPostgres(broken)).rejects.toThrow(/did not start in .*broken.*: .+/s)
  expect(existsSync(join(broken, 'owner.lock'))).toBe(false)
})

test('nothing of the environment reaches the server', async () => {
  process.env.SIGNALBOX_TEST_SECRET = 'not-for-postgres'
  const postgres = await start()
  delete process.env.SIGNALBOX_TEST_SECRET
  expect(readFileSync(`/proc/${postgres.pid()}/environ`, 'utf8')).not.toContain('not-for-postgres')
})

describeWith('root', 'as root', () => {
  test('starts as another user where user namespaces are forbidden, and in the namespace again later', async () => {
    const open = mkdtempSync(join(tmpdir(), 'signalbox-setuid-'))
    chmodSync(open, 0o755)
    const where = join(open, 'postgres')
    const first = await start({ runAs: 'setuid' }, where)
    expect(statSync(`/proc/${first.pid()}`).uid).toBe(65_534)
    await ask(first.url, 'create table kept (id int)')
    await first.stop()
    const second = await start({ runAs: 'namespace' }, where)
    expect(await ask(second.url, 'select count(*)::int as count from kept')).toEqual({ count: 0 })
    await second.stop()
    rmSync(open, { recursive: true, force: true })
  })

  test('starts for a plain user in a folder of its own', async () => {
    const home = mkdtempSync(join(tmpdir(), 'signalbox-plain-'))
    chownSync(home, 12_345, 12_345)
    const { url, pid } = await startHolder(join(home, 'data'), 12_345)
    expect(await ask(url, 'select 1 as one')).toEqual({ one: 1 })
    expect(statSync(`/proc/${pid}`).uid).toBe(12_345)
    const [last] = children.splice(0)
    last?.kill('SIGTERM')
    if (last !== undefined) expect(await once(last, 'exit')).toEqual([0, null])
    rmSync(home, { recursive: true, force: true })
  })
})
