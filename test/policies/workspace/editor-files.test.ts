import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadWorkspaceFolder, refreshEditorFiles, writeEditorFiles, writeStarter } from '@signalbox/policies'
import { compileSchema } from '@signalbox/sdk/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compiler, startLanguageServer } from '../../support/language-server.ts'

const policy = `import { constraint, ordered, param, requireGuard, route, rule, use } from '@signalbox/policies'
const model = param.string('m', { default: 'smart', enum: ['smart', 'cheap'] })
export default route('a', {
  rules: [
    rule('dynamic', { then: (f) => use(f.request.model.requested) }),
    rule('params', { then: () => use(model()).fallback('smart', 'openai/gpt-of-tomorrow', 'local/mine') }),
    rule('alias', { then: () => use('smrt') }),
    rule('connection', { then: () => use('opnai/gpt-5.5') }),
    rule('fallback', { then: () => use('smart').fallback('chep') }),
    rule('prompt', { then: () => use('smart').prompt('sumarise') }),
    rule('metadata', { when: (f) => f.request.metadata.teir === 'free', then: () => ordered('smart') }),
    rule('value', { when: (f) => f.request.metadata.tier === 'fre', then: () => ordered('smart') }),
    rule('plan', { then: () => ordered('smart', 'cheep') }),
    rule('phase', { when: (f) => f.response !== undefined, then: () => ordered('smart') }),
  ],
})
export const guard = constraint('c', { rules: [rule('g', { then: () => requireGuard('input', 'no-secret') })] })
`
let folder: string
const typeErrors = (): string[] => {
  const { stdout } = spawnSync(compiler, ['-p', '.', '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith(' '))
}

beforeAll(async () => {
  // Far from this repository: nothing of it can be found from there.
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-editor-')))
  await writeStarter(folder, { name: 'acme' })
  await writeEditorFiles(folder, await loadWorkspaceFolder(folder))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('what `init` and `generate` write for editors', () => {
  it('makes the starter type-check in a folder that has nothing else', () => {
    expect(typeErrors()).toEqual([])
  })

  it('makes every wrong name an error at its place, and accepts models that are newer than the catalogue', () => {
    writeFileSync(join(folder, 'policies/a.policy.ts'), policy)
    const found = typeErrors().map((line) =>
      line.replace(/^policies\/a\.policy\.ts\((\d+),\d+\): error .*$/, '$1'),
    )
    rmSync(join(folder, 'policies/a.policy.ts'))
    expect(found).toEqual(['7', '8', '9', '10', '11', '12', '13', '14', '17'])
  })

  it('offers the names of the workspace while one types', async () => {
    writeFileSync(join(folder, 'policies/a.policy.ts'), policy)
    const server = await startLanguageServer(folder)
    try {
      const offered = (behind: string) => server.completions('policies/a.policy.ts', behind)
      expect(await offered("then: () => use('")).toEqual(
        expect.arrayContaining([
          'smart',
          'cheap',
          'openai/gpt-5.5',
          'anthropic/claude-opus-4-8',
          'local/llama3.3',
        ]),
      )
      expect(await offered(".fallback('")).toContain('cheap')
      expect(await offered(".prompt('")).toEqual(['house-style', 'summarise'])
      expect(await offered('f.request.metadata.')).toEqual(
        expect.arrayContaining(['feature', 'tier', 'userId']),
      )
      expect(await offered("requireGuard('input', '")).toEqual(['no-secrets'])
      expect(await offered("f.request.metadata.tier === '")).toEqual(['free', 'paid'])
    } finally {
      server.stop()
      rmSync(join(folder, 'policies/a.policy.ts'))
    }
  })

  it('types calls of applications: models, metadata, prompts and their variables', () => {
    const sdk = fileURLToPath(new URL('../../../sdk/index.ts', import.meta.url))
    const types = fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))
    const app = mkdtempSync(join(tmpdir(), 'signalbox-app-'))
    const call = (request: string, options: string): string =>
      `client.chat({ messages: [], ${request} }, ${options})\n`
    const good = call("model: 'smart'", "{ metadata: { tier: 'free' } }")
    const text = [
      "import { createWorkspaceClient } from './client.ts'\n",
      "const client = createWorkspaceClient({ url: 'http://127.0.0.1:8787', key: 'sb_x' })\n",
      `export const all = [${good.trim()}]\n`,
      call(
        "model: 'openai/gpt-of-tomorrow'",
        "{ prompt: { name: 'summarise', variables: { text: 'a', sentences: 2 } } }",
      ),
      call("model: 'smrt'", '{}'),
      call("model: 'smart'", "{ metadata: { teir: 'free' } }"),
      call("model: 'smart'", "{ prompt: { name: 'summarise', variables: { text: 'a', sentence: 2 } } }"),
    ].join('')
    writeFileSync(join(app, 'client.ts'), readFileSync(join(folder, '.signalbox/types/client.ts'), 'utf8'))
    writeFileSync(join(app, 'app.ts'), text)
    const options = {
      ...JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')).compilerOptions,
      lib: ['es2024'],
      types: ['node'],
      typeRoots: [types],
      paths: { '@signalbox/sdk': [sdk] },
    }
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['app.ts'] }))
    const { stdout } = spawnSync(compiler, ['-p', '.', '--pretty', 'false'], { cwd: app, encoding: 'utf8' })
    const lines = stdout.split('\n').filter((line) => /^\S/.test(line))
    rmSync(app, { recursive: true })
    expect(lines.map((line) => line.replace(/^(app\.ts\(\d+).*$/, '$1'))).toEqual([
      'app.ts(5',
      'app.ts(6',
      'app.ts(7',
    ])
  })

  it('gives JSON policies a schema that knows names, facts and operators', async () => {
    const { $schema: draft, ...schema } = JSON.parse(
      readFileSync(join(folder, '.signalbox/types/policy-1.json'), 'utf8'),
    )
    expect(draft).toContain('json-schema.org')
    const fitsSchema = compileSchema(schema)
    const written = readFileSync(join(folder, 'policies/sensitive-stays-local.policy.json'), 'utf8')
    expect(fitsSchema(JSON.parse(written))).toBe(true)
    const of = (when: unknown, then: unknown) => ({
      kind: 'route',
      id: 'a',
      rules: [{ id: 'r', when, then }],
    })
    const use = (model: string) => ({ use: { model } })
    const holds = { eq: [{ fact: 'request.metadata.tier', or: 'free' }, 'free'] }
    expect(fitsSchema(of(holds, use('smart')))).toBe(true)
    expect(fitsSchema(of(holds, use('openai/gpt-of-tomorrow')))).toBe(true)
    expect(
      fitsSchema(
        of({ some: [{ fact: 'request.tools.names' }, { eq: [{ item: true }, 'a'] }] }, use('cheap')),
      ),
    ).toBe(true)
    expect(fitsSchema(of(holds, use('smrt')))).toBe(false)
    expect(fitsSchema(of({ eq: [{ fact: 'request.metadata.teir' }, 'free'] }, use('smart')))).toBe(false)
    expect(fitsSchema(of({ equals: [1, 1] }, use('smart')))).toBe(false)
  })

  it('keeps the names up to date, and leaves what is the author’s alone', async () => {
    writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "./mine.json" }')
    const yaml = readFileSync(join(folder, 'signalbox.yaml'), 'utf8')
    writeFileSync(
      join(folder, 'signalbox.yaml'),
      yaml.replace('models:\n', 'models:\n  fast: [openai/gpt-5-mini]\n'),
    )
    const files = await loadWorkspaceFolder(folder)
    await refreshEditorFiles(folder, files)
    const names = () => readFileSync(join(folder, '.signalbox/types/policies/workspace.d.ts'), 'utf8')
    expect(names()).toContain('"fast"')
    const before = names()
    const { written, kept } = await writeEditorFiles(folder, files)
    expect(names()).toBe(before)
    expect(written).toEqual(['.signalbox/types/client.ts'])
    expect(kept).toEqual(['tsconfig.json'])
    expect((await writeEditorFiles(folder, files)).written).toEqual([])
  })

  it('writes nothing where nobody asked for it', async () => {
    const other = mkdtempSync(join(tmpdir(), 'signalbox-editor-'))
    await writeStarter(other, { name: 'acme' })
    await refreshEditorFiles(other, await loadWorkspaceFolder(other))
    expect(existsSync(join(other, '.signalbox'))).toBe(false)
    rmSync(other, { recursive: true })
  })
})
