import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  buildVersion,
  createEngine,
  loadCatalogue,
  loadWorkspaceFolder,
  verifyVectors,
} from '@signalbox/policies'
import { artefacts, GoldenVector, VersionManifest } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf, fits } from '@signalbox/sdk/node'
import { afterAll, expect, test } from 'vitest'
import { artefactOf, versionOf } from './builds.ts'

const starter = fileURLToPath(new URL('../../../policies/starter', import.meta.url))
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function copyOfStarter(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-build-'))
  folders.push(folder)
  cpSync(starter, folder, { recursive: true })
  return folder
}

async function buildFolder(folder: string) {
  const files = await loadWorkspaceFolder(folder)
  const { version, problems } = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck: false })
  if (version === null) throw new Error(JSON.stringify(problems))
  return version
}

test('the same sources in two folders give the same version, to the last byte', async () => {
  const [one, other] = [await buildFolder(copyOfStarter()), await buildFolder(copyOfStarter())]
  expect(other.digest).toBe(one.digest)
  expect(other.manifest).toEqual(one.manifest)
  expect([...other.blobs.keys()].sort()).toEqual([...one.blobs.keys()].sort())
})

test('another process in another working folder gives the same version', async () => {
  const folder = copyOfStarter()
  const script = `
    const { buildVersion, loadCatalogue, loadWorkspaceFolder } = await import(${JSON.stringify(new URL('../../../policies/index.ts', import.meta.url).href)})
    const { version } = await buildVersion(await loadWorkspaceFolder('.'), { catalogue: loadCatalogue(), typeCheck: false })
    process.stdout.write(version.digest)`
  const digest = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'Asia/Tokyo', LANG: 'C' },
  })
  expect(digest).toBe((await buildFolder(folder)).digest)
})

test('the order in which files are given does not matter', async () => {
  const files = await loadWorkspaceFolder(starter)
  const catalogue = loadCatalogue()
  const turned = new Map([...files].reverse())
  const one = await buildVersion(files, { catalogue, typeCheck: false })
  const other = await buildVersion(turned, { catalogue, typeCheck: false })
  expect(other.version?.digest).toBe(one.version?.digest)
})

test('neither script nor source map name a folder of the machine', async () => {
  const folder = copyOfStarter()
  const version = await buildFolder(folder)
  for (const path of Object.values(artefacts)) {
    const text = artefactOf(version, path)
    expect(text).not.toBe('')
    expect(text).not.toContain(folder)
    expect(text).not.toContain(process.cwd())
    expect(text).not.toContain(tmpdir())
  }
})

test('a change of any file is another version', async () => {
  const folder = copyOfStarter()
  const before = await buildFolder(folder)
  writeFileSync(join(folder, 'fixtures/more.facts.json'), '{}\n')
  expect((await buildFolder(folder)).digest).not.toBe(before.digest)
})

test('the manifest is named by the digest of its canonical form and names every blob by content', async () => {
  const version = await buildFolder(copyOfStarter())
  expect(fits(VersionManifest, version.manifest)).toBe(true)
  expect(version.digest).toBe(digestOf(canonicalJson(version.manifest)))
  expect(Buffer.from(version.blobs.get(version.digest) ?? []).toString()).toBe(
    canonicalJson(version.manifest),
  )
  for (const { digest, bytes } of version.manifest.blobs) {
    const blob = version.blobs.get(digest) ?? new Uint8Array()
    expect(digestOf(blob)).toBe(digest)
    expect(blob.length).toBe(bytes)
  }
  const paths = version.manifest.blobs.map(({ path }) => path)
  expect(paths).toEqual([...paths].sort())
  expect(paths).toEqual(expect.arrayContaining([...Object.values(artefacts), 'source/signalbox.yaml']))
  expect(artefactOf(version, artefacts.workspace)).toBe(canonicalJson(version.compiled))
  expect(artefactOf(version, artefacts.script)).toBe(version.script)
})

test('golden vectors hold in the environments they are for, and show a changed policy', async () => {
  const policyOf = (code: string) =>
    JSON.stringify({
      kind: 'constraint',
      id: 'a',
      rules: [
        {
          id: 'free',
          when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
          then: { deny: { code } },
        },
      ],
    })
  const fixtures = { 'fixtures/stream.facts.json': '{ "request": { "stream": true } }' }
  const version = await versionOf({ 'policies/a.policy.json': policyOf('ONE'), ...fixtures })
  const changed = await versionOf({ 'policies/a.policy.json': policyOf('TWO'), ...fixtures })
  const lines = artefactOf(version, artefacts.vectors).trimEnd().split('\n')
  const vectors = lines.map((line): GoldenVector => JSON.parse(line))
  expect(vectors.every((vector) => fits(GoldenVector, vector))).toBe(true)
  expect(new Set(vectors.map(({ environment }) => environment))).toEqual(
    new Set(['development', 'staging', 'production']),
  )
  expect(new Set(vectors.map(({ name }) => name))).toEqual(
    new Set(['plain', 'a/free', 'fixtures/stream.facts.json']),
  )

  const engine = await createEngine()
  const { catalogue } = loadCatalogue()
  const { compiled } = version
  for (const environment of ['development', 'production']) {
    const load = ({ digest, script, compiled: own }: typeof version) =>
      engine.load([{ digest, script, compiled: own, nodePath: [] }], { environment })
    expect(await verifyVectors(load(version), vectors, { compiled, catalogue })).toEqual([])
    expect(await verifyVectors(load(changed), vectors, { compiled, catalogue })).toEqual([
      expect.stringMatching(/^"a\/free" gives sha256:[0-9a-f]{64}, not sha256:[0-9a-f]{64}$/),
    ])
  }
  engine.dispose()
})

test('the source map leads from the script back to the very words of the author', async () => {
  const text = `import { route, rule, use, type Facts } from '@signalbox/policies'

const isPolish = (f: Facts): boolean => f.request.metadata.feature === 'polish'
export default route('a', {
  rules: [rule('x', { when: (f) => f.request.stream && isPolish(f), then: () => use('smart') })],
})
`
  const version = await versionOf({ 'policies/a.policy.ts': text })
  const { SourceMap } = await import('node:module')
  const map = JSON.parse(artefactOf(version, artefacts.sourceMap))
  const index = map.sources.indexOf('policies/a.policy.ts')
  expect(map.sourcesContent[index]).toBe(text)
  const lines = version.script.split('\n')
  for (const word of ['isPolish(f)', '"smart"', 'f.request.stream']) {
    const line = lines.findIndex((each) => each.includes(word))
    const entry = new SourceMap(map).findEntry(line, lines[line]?.indexOf(word) ?? 0)
    if (!('originalSource' in entry)) throw new Error(`${word} has no place`)
    const original = text.split('\n')[entry.originalLine]?.slice(entry.originalColumn)
    expect(original?.replaceAll("'", '"')).toMatch(word)
  }
})
