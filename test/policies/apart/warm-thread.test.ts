import { buildWarm, loadCatalogue, WarmThread } from '@signalbox/policies'
import { afterAll, describe, expect, it } from 'vitest'
import { versionOf, workspaceFile } from '../compile/builds.ts'
import { hostileScripts } from '../sandbox/hostile-corpus.ts'

const catalogue = loadCatalogue()
const options = { catalogue, typeCheck: false }
const honest = {
  'policies/a.policy.json': JSON.stringify({
    kind: 'route',
    id: 'a',
    rules: [{ id: 'x', when: { fact: 'request.stream' }, then: { use: { model: 'smart' } } }],
  }),
  'tests/a.cases.yaml':
    'policy: a\ncases:\n  - { name: n, set: { request.stream: true }, expect: { rule: x } }\n',
}
const filesOf = (files: Record<string, string>) =>
  new Map(Object.entries({ 'signalbox.yaml': workspaceFile, ...files }))
const hostile = ({ body }: { readonly body: string }) =>
  `import { constraint, deny, rule } from '@signalbox/policies'
const run = () => { ${body} }
export default constraint('bad', { rules: [rule('x', { when: (f) => { run(); return f.request.stream }, then: () => deny('X') })] })
`

const thread = new WarmThread()
afterAll(() => thread.close())

describe('a thread that builds again and again', () => {
  it('builds after hostile scripts what was built without them', async () => {
    const { digest } = await versionOf(honest)
    // The whole corpus is pushed at the control plane in one workspace; here some of it comes one by one.
    for (const script of hostileScripts.filter((_, index) => index % 30 === 0)) {
      await buildWarm(thread, filesOf({ 'policies/bad.policy.ts': hostile(script) }), options)
      const { result, cases } = await buildWarm(thread, filesOf(honest), options)
      expect([script.name, result.version?.digest]).toEqual([script.name, digest])
      expect(cases?.results).toMatchObject([{ name: 'n', passed: true }])
    }
  })

  it('is stopped where a build takes too long, and the next one has another', async () => {
    const hurried = new WarmThread({ timeoutMs: 1 })
    const { result } = await buildWarm(hurried, filesOf(honest), options)
    expect(result.problems).toMatchObject([
      {
        code: 'build_limit',
        file: 'signalbox.yaml',
        message: 'the workspace cannot be built: "build" took longer than 0.001 s',
      },
    ])
    await hurried.close()
    const patient = new WarmThread({ timeoutMs: 30_000 })
    expect((await buildWarm(patient, filesOf(honest), options)).result.version).not.toBeNull()
    await patient.close()
  })

  it('says what a task threw, and not that it took too long', async () => {
    const broken = new WarmThread()
    await expect(broken.run('build', { files: undefined } as never)).rejects.toThrow(/undefined/)
    await broken.close()
  })

  it('fails what runs in it when it is closed, and starts another for what comes then', async () => {
    const running = buildWarm(thread, filesOf(honest), options)
    await new Promise((resolve) => setImmediate(resolve))
    await thread.close()
    expect((await running).result.problems).toMatchObject([{ code: 'build_limit' }])
    expect((await buildWarm(thread, filesOf(honest), options)).result.version).not.toBeNull()
  })
})
