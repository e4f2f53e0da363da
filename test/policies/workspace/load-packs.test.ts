import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type BuildResult, buildVersion, loadCatalogue, loadWorkspaceFolder } from '@signalbox/policies'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-packs-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

const yaml = (...packs: string[]): string =>
  `name: acme\nmetadata: { tier: { enum: [free, paid] } }\nmodels: { smart: [openai/gpt-5.5] }\npacks: [${packs.map((each) => JSON.stringify(each)).join(', ')}]\n`
const policy = `import { tierOnly } from 'acme-pack'
import { codes } from 'acme-pack/codes'
export default tierOnly('free-tier', { tier: 'free', code: codes.blocked })
`
const pack = {
  'node_modules/acme-pack/package.json': {
    name: 'acme-pack',
    version: '1.2.3',
    _resolved: '/home/somebody/cache',
    exports: {
      '.': { types: './dist/index.d.ts', signalbox: './src/index.ts' },
      './codes': './src/codes.js',
    },
  },
  'node_modules/acme-pack/src/index.ts': `import { constraint, deny, rule } from '@signalbox/policies'
import { isTier } from './lib/tiers.ts'
export const tierOnly = (id: string, options: { tier: string; code: string }) =>
  constraint(id, {
    rules: [rule('tier', { when: (f) => isTier(f, options.tier), then: () => deny(options.code) })],
  })
`,
  'node_modules/acme-pack/src/lib/tiers.ts': `import type { Facts } from '@signalbox/policies'
export const isTier = (f: Facts, tier: string): boolean => f.request.metadata['tier'] === tier
`,
  'node_modules/acme-pack/src/codes.js': "export const codes = { blocked: 'TIER_BLOCKED' }\n",
  'node_modules/acme-pack/src/unused.ts': "import fs from 'node:fs'\nexport default fs\n",
}

async function build(typeCheck = false): Promise<BuildResult & { paths: string[] }> {
  const files = await loadWorkspaceFolder(root)
  const result = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck })
  return { ...result, paths: [...files.keys()] }
}

async function problems(typeCheck = false): Promise<string[]> {
  const result = await build(typeCheck)
  return result.problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

describe('packs', () => {
  it('come along with what policies import of them, and compile like files of the workspace', async () => {
    write({ 'signalbox.yaml': yaml('acme-pack@1.2.3'), 'policies/a.policy.ts': policy, ...pack })
    const { problems: found, version, paths } = await build(true)
    expect(found).toEqual([])
    expect(paths).toEqual([
      'packs/acme-pack@1.2.3/package.json',
      'packs/acme-pack@1.2.3/src/codes.js',
      'packs/acme-pack@1.2.3/src/index.ts',
      'packs/acme-pack@1.2.3/src/lib/tiers.ts',
      'policies/a.policy.ts',
      'signalbox.yaml',
    ])
    expect(version?.script).toContain('TIER_BLOCKED')
    expect(version?.compiled.policies[0]?.reads).toEqual(['request.metadata.tier'])
  })

  it('give the same version wherever they are installed', async () => {
    write({ 'signalbox.yaml': yaml('acme-pack@1.2.3'), 'policies/a.policy.ts': policy, ...pack })
    const first = await build()
    const manifest = {
      ...pack['node_modules/acme-pack/package.json'],
      _resolved: 'elsewhere',
      scripts: { a: 'b' },
    }
    write({ 'node_modules/acme-pack/package.json': manifest, 'node_modules/acme-pack/README.md': 'x' })
    const second = await build()
    expect(first.version?.digest).toMatch(/^sha256:/)
    expect(second.version?.digest).toBe(first.version?.digest)
    write({ 'node_modules/acme-pack/src/codes.js': "export const codes = { blocked: 'OTHER' }\n" })
    expect((await build()).version?.digest).not.toBe(first.version?.digest)
  })

  it('may import other packs that are listed, also of a scope', async () => {
    write({
      'signalbox.yaml': yaml('acme-pack@1.2.3', '@acme/codes@0.1.0-beta.1'),
      'policies/a.policy.ts': policy,
      ...pack,
      'node_modules/acme-pack/src/codes.js': "export { codes } from '@acme/codes'\n",
      'node_modules/@acme/codes/package.json': {
        name: '@acme/codes',
        version: '0.1.0-beta.1',
        main: './main.js',
      },
      'node_modules/@acme/codes/main.js': "export const codes = { blocked: 'BY_SCOPE' }\n",
    })
    const { problems: found, version } = await build(true)
    expect(found).toEqual([])
    expect(version?.script).toContain('BY_SCOPE')
  })

  it('are an error where they are not installed, or at another version', async () => {
    write({ 'signalbox.yaml': yaml('acme-pack@1.2.3'), 'policies/a.policy.ts': policy })
    expect(await problems()).toEqual([
      'signalbox.yaml:4:9 the pack "acme-pack@1.2.3" is not installed; `npm install --save-exact acme-pack@1.2.3` beside signalbox.yaml brings it',
    ])
    write({ ...pack, 'signalbox.yaml': yaml('acme-pack@1.2.4') })
    expect(await problems()).toEqual([
      'signalbox.yaml:4:9 signalbox.yaml lists "acme-pack@1.2.4", but 1.2.3 is installed; install or list the other',
    ])
  })

  it('have an exact version, and are listed once', async () => {
    write({ 'signalbox.yaml': yaml('acme-pack@^1.2.0') })
    expect(await problems()).toEqual([expect.stringMatching(/^signalbox.yaml:4:9 .*exact version/)])
    write({ 'signalbox.yaml': yaml('acme-pack@1.2.3', 'acme-pack@1.2.3'), ...pack })
    expect(await problems()).toEqual(['signalbox.yaml:4:28 the pack "acme-pack" is listed twice'])
  })

  it('are not imported without being listed', async () => {
    write({ 'signalbox.yaml': 'name: acme\n', 'policies/a.policy.ts': policy, ...pack })
    const [first, second] = await problems()
    expect(first).toContain('policies/a.policy.ts:1:26 cannot import "acme-pack": a file may import')
    expect(second).toContain('policies/a.policy.ts:2:23 cannot import "acme-pack/codes"')
  })

  it('may do no more than other code of a workspace', async () => {
    write({
      'signalbox.yaml': yaml('acme-pack@1.2.3'),
      'policies/a.policy.ts': policy,
      ...pack,
      'node_modules/acme-pack/src/lib/tiers.ts': `import { readFileSync } from 'node:fs'
import left from 'left-pad'
import outside from '../../../other/secret.ts'
let count = 0
export const isTier = () => readFileSync('/etc/passwd') && left(outside) && count++ > 0
`,
      'node_modules/other/secret.ts': 'export default 1\n',
    })
    const file = 'packs/acme-pack@1.2.3/src/lib/tiers.ts'
    const may = 'a file may import "@signalbox/policies", files of the pack "acme-pack" by relative path'
    expect(await problems()).toEqual([
      expect.stringContaining(`${file}:1:30 cannot import "node:fs": ${may}`),
      expect.stringContaining(`${file}:2:18 cannot import "left-pad": ${may}`),
      `${file}:3:21 cannot import "../../../other/secret.ts": there is no such file in the pack "acme-pack"`,
      `${file}:4:1 "let" at the top of a file is state, which a policy does not have; use "const"`,
    ])
  })

  it('say what they export to an import of something else', async () => {
    write({
      'signalbox.yaml': yaml('acme-pack@1.2.3'),
      'policies/a.policy.ts': "import x from 'acme-pack/other'\nexport default x\n",
      ...pack,
    })
    expect(await problems()).toEqual([
      'policies/a.policy.ts:1:15 cannot import "acme-pack/other": the pack exports "acme-pack", "acme-pack/codes"',
    ])
  })

  it('never bring a file from outside of their folder', async () => {
    write({
      'signalbox.yaml': yaml('acme-pack@1.2.3'),
      'policies/a.policy.ts': policy,
      ...pack,
      'secret.ts': 'x',
    })
    rmSync(join(root, 'node_modules/acme-pack/src/codes.js'))
    symlinkSync(join(root, 'secret.ts'), join(root, 'node_modules/acme-pack/src/codes.js'))
    expect(await problems()).toEqual([
      'policies/a.policy.ts:2:23 cannot import "acme-pack/codes": the pack has no file src/codes.js that is .ts, .js or .json',
    ])
  })

  it('have a size that is told', async () => {
    const large = `export const codes = { blocked: '${'x'.repeat(600 * 1024)}' }\n`
    write({
      'signalbox.yaml': yaml('acme-pack@1.2.3'),
      'policies/a.policy.ts': policy,
      ...pack,
      'node_modules/acme-pack/src/codes.js': large,
    })
    expect(await problems()).toContainEqual(
      expect.stringMatching(
        /^signalbox.yaml:4:9 the pack "acme-pack" has \d files of 61\d+ bytes .*524288 bytes/,
      ),
    )
  })

  it('are not slipped in by a push', async () => {
    const files = new Map([
      ['signalbox.yaml', 'name: acme\n'],
      ['packs/other@1.0.0/index.ts', 'export const a = 1\n'],
    ])
    const result = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck: false })
    expect(result.problems).toMatchObject([{ file: 'packs/other@1.0.0/index.ts', code: 'pack' }])
  })
})
