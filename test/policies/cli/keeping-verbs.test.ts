import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { callRecord, packSegment } from '../../control-plane/segment-lines.ts'
import { startTestControlPlane } from '../../control-plane/test-control-plane.ts'
import { enrolGateway } from '../../control-plane/test-gateway.ts'
import { workspaceFiles } from '../../control-plane/workspace-files.ts'
import { createTestDatabase } from '../../support/database.ts'
import { runCli } from '../../support/run-cli.ts'

/** Workspaces are built here and there. */
const slowMs = 60_000
const keys = await generateKeyPair('RS256')
/** The issuer of identities, and the door of GitHub Actions that gives a job its own. */
const issuerServer = createServer(async (request, response) => {
  const url = request.url ?? ''
  const said = url.includes('openid-configuration')
    ? { issuer, jwks_uri: `${issuer}/keys` }
    : url.includes('/keys')
      ? { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }] }
      : { value: await identity(new URL(url, issuer).searchParams.get('audience') ?? '') }
  response
    .setHeader('content-type', 'application/json')
    .end(url.startsWith('/none') ? '<html>' : JSON.stringify(said))
})
await new Promise<void>((resolve) => issuerServer.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}`
const identity = (audience: string) =>
  new SignJWT({ repository: 'acme/policies', ref: 'refs/heads/main', jti: String(Math.random()) })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('repo:acme/policies')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(keys.privateKey)

const plane = await startTestControlPlane(await createTestDatabase())
const home = mkdtempSync(join(tmpdir(), 'signalbox-keeping-'))
afterAll(async () => {
  await plane.stop()
  issuerServer.closeAllConnections()
  issuerServer.close()
  rmSync(home, { recursive: true, force: true })
})

const signalboxWith = (env: Readonly<Record<string, string>>, ...args: string[]) => {
  const { SIGNALBOX_TOKEN: token, ...others } = env
  const where = { url: plane.url, dataDir: home, env: others, ...(token !== undefined && { token }) }
  return runCli(where, ...args)
}
const signalbox = (...args: string[]) => signalboxWith({ SIGNALBOX_TOKEN: plane.rootToken }, ...args)

function write(name: string, change: Readonly<Record<string, string>> = {}): string {
  for (const { path, text } of workspaceFiles(change)) {
    const file = join(home, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return join(home, name)
}
function commit(folder: string): void {
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' })
  git('init', '-q')
  git('add', '-A')
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'policies')
}

test(
  'a CI job exchanges its identity for a token and pushes with it, beside reports that it wrote',
  async () => {
    const trust = ['ci', 'trust', '--name', 'policies', '--issuer', issuer, '--role', 'admin']
    const [made, vague, stranger] = await Promise.all([
      signalbox(...trust, '--claim', 'repository=acme/policies'),
      signalbox(...trust, '--claim', 'repository=acme/policies', '--lifetime', 'long'),
      signalboxWith({}, 'ci', 'login'),
    ])
    expect([made.code, made.stdout]).toEqual([0, `policies: admin for 900 s to jobs of ${issuer}\n`])
    expect([vague.code, vague.stderr]).toEqual([2, expect.stringContaining('--lifetime is a whole number')])
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining('id-token: write')])
    const job = { ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/job?a=b`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' }
    const [login, other, broken] = await Promise.all([
      signalboxWith(job, 'ci', 'login'),
      signalboxWith(job, 'ci', 'login', '--audience', 'another'),
      signalboxWith({ ...job, ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/none?` }, 'ci', 'login'),
    ])
    expect([login.code, login.stdout]).toEqual([0, expect.stringMatching(/^sbt_\w+\n$/)])
    expect([other.code, other.stdout]).toEqual([1, ''])
    expect(other.stderr).toContain('No trust of this organisation fits the identity')
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('gave no identity')])
    const folder = write('job')
    commit(folder)
    writeFileSync(join(folder, 'signalbox-junit.xml'), '<testsuites/>')
    const ci = { SIGNALBOX_TOKEN: login.stdout.trim() }
    const pushed = await signalboxWith(ci, 'push', folder, '--env', 'staging', '--json')
    expect(JSON.parse(pushed.stdout)).toMatchObject({ version: 1, push: { by: 'ci policies' } })
    writeFileSync(join(folder, 'policies', 'more.policy.ts'), '// not committed')
    const dirty = await signalboxWith(ci, 'push', folder, '--env', 'staging')
    expect([dirty.code, dirty.stderr]).toEqual([1, expect.stringContaining('policies/more.policy.ts')])
  },
  slowMs,
)

test(
  'pull writes what is deployed, says what it would do, and overwrites nothing that is not committed',
  async () => {
    const files = workspaceFiles()
    await plane.client.pushVersion({ files, environment: 'staging' })
    const target = join(home, 'pulled')
    const [dry, nothing] = await Promise.all([
      signalbox('pull', target, '--env', 'staging', '--dry-run'),
      signalbox('pull', join(home, 'none'), '--env', 'production'),
    ])
    expect([dry.code, dry.stderr, dry.stdout]).toEqual([0, '', expect.stringContaining('signalbox.yaml')])
    expect([nothing.code, nothing.stderr]).toEqual([
      1,
      expect.stringContaining('nothing is deployed to production'),
    ])
    const pulled = await signalbox('pull', target, '--env', 'staging')
    expect([pulled.code, pulled.stdout]).toEqual([0, expect.stringContaining('holds v1')])
    expect(readFileSync(join(target, 'signalbox.yaml'), 'utf8')).toContain('name: acme')
    writeFileSync(join(target, 'signalbox.yaml'), 'name: mine\n')
    const again = await signalbox('pull', target, '--env', 'staging')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('nothing was written')])
    expect(readFileSync(join(target, 'signalbox.yaml'), 'utf8')).toBe('name: mine\n')
  },
  slowMs,
)

test(
  'records are kept by rule, exported and erased',
  async () => {
    const gateway = await enrolGateway(plane, 'staging')
    const user = 'u-4711'
    const records = [
      callRecord({ metadata: { user }, arm: 'candidate' }),
      callRecord({ metadata: { user: 'other' }, arm: 'stable' }),
    ]
    const segment = packSegment(records)
    expect(
      (await gateway.segment(segment, { records: 2, incarnation: records[0]?.row.incarnation ?? '' })).status,
    ).toBe(200)
    const keep = ['records', 'retention', 'set', '--env', 'staging', '--keep', '30']
    const [kept, masked, wrong, exported, refused] = await Promise.all([
      signalbox(...keep, '--rows', '10'),
      signalbox(...keep, '--facts', 'masked', '--mask', 'session, request.metadata.email'),
      signalbox(...keep, '--facts', 'masked', '--mask', 'models'),
      signalbox('records', 'export', '--env', 'staging', '--where', 'effect=allow'),
      signalbox('records', 'export', '--since', 'yesterday'),
    ])
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining('Rows are kept at least as long')])
    expect([masked.code, masked.stdout]).toEqual([
      0,
      expect.stringContaining('facts masked (request.metadata.email, session)'),
    ])
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('mask')])
    expect(
      exported.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).row.id)
        .sort(),
    ).toEqual(records.map(({ row }) => row.id).sort())
    expect(exported.stderr).toContain('2 records')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('"yesterday" is no time')])
    const arm = ['--arm', 'candidate', '--env', 'staging', '--json']
    const [listed, unknown] = await Promise.all([
      signalbox('records', ...arm),
      signalbox('records', 'export', '--where', 'arm=third'),
    ])
    expect(JSON.parse(listed.stdout).items).toMatchObject([{ id: records[0]?.row.id, arm: 'candidate' }])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('stable, candidate')])
    const erased = await signalbox('records', 'erase', '--user', user, '--json')
    expect(JSON.parse(erased.stdout)).toEqual({ records: 1, segments: 1, done: true })
    const [left, rules] = await Promise.all([
      signalbox('records', 'export', '--env', 'staging'),
      signalbox('records', 'retention', 'list'),
    ])
    expect(left.stdout).toContain('other')
    expect(left.stdout).not.toContain(user)
    expect(rules.stdout).toMatch(/environment staging +30 days +400 days +masked/)
  },
  slowMs,
)

test(
  'trust is shown and changed, with signatures of keys that are kept elsewhere',
  async () => {
    const [author, outside, document] = ['author.key', 'root.key', 'root.json'].map((name) =>
      join(home, name),
    )
    const stranger = await signalboxWith(
      { SIGNALBOX_TOKEN: 'sbt_nobody' },
      'trust',
      'init',
      '--key-file',
      author ?? '',
    )
    expect(stranger.code).toBe(1)
    const made = await signalbox('trust', 'init', '--key-file', author ?? '', '--require', 'production')
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('is published')])
    const twice = await signalbox('trust', 'init', '--key-file', author ?? '')
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('a key is never overwritten')])
    const key = JSON.parse((await signalbox('trust', 'key', '--out', outside ?? '', '--json')).stdout)
    expect(readFileSync(outside ?? '', 'utf8')).toContain(key.publicKey)
    const more = ['--add-root', key.publicKey, '--threshold', 'root=2']
    const wanting = await signalbox('trust', 'set', ...more, '--out', document ?? '')
    expect([wanting.code, wanting.stdout]).toEqual([0, expect.stringContaining('signalbox trust sign')])
    const early = await signalbox('trust', 'publish', document ?? '')
    expect(early.code).toBe(1)
    const [signed, nonsense] = await Promise.all([
      signalbox('trust', 'sign', document ?? '', '--key-file', outside ?? ''),
      signalbox('trust', 'publish', outside ?? ''),
    ])
    expect([signed.code, nonsense.code]).toEqual([0, 1])
    expect(nonsense.stderr).toContain('holds no root document')
    const published = await signalbox('trust', 'publish', document ?? '')
    expect([published.code, published.stdout]).toEqual([0, expect.stringContaining('is published')])
    const alone = await signalbox('trust', 'init', '--key-file', join(home, 'second.key'))
    expect(alone.stdout).toContain('--out FILE')
    const [shown, later] = await Promise.all([
      signalbox('trust', 'show'),
      signalbox('trust', 'init', '--key-file', join(home, 'second.key'), '--out', join(home, 'second.json')),
    ])
    expect(shown.stdout).toMatch(new RegExp(`root +2 of .*${key.keyId}`))
    expect(shown.stdout).toContain('authors must sign for production')
    expect(later.stdout).toContain('second.key')
  },
  slowMs,
)
