import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type BuiltVersion,
  baseFacts,
  buildVersion,
  createEngine,
  type Engine,
  indexCatalogue,
  loadCatalogue,
  loadWorkspaceFolder,
  runCases,
  type SourceFiles,
  writeStarter,
} from '@signalbox/policies'
import { nativeConnections } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { columnsOf } from '../../../policies/cases/model-columns.ts'
import { LayerPath, namesOf } from '../../../policies/evaluation/layer-path.ts'
import { checkTypes } from '../../../policies/typecheck/check-types.ts'

const folder = fileURLToPath(new URL('../../../policies/starter', import.meta.url))
const catalogue = loadCatalogue()
let files: SourceFiles
let version: BuiltVersion
let engine: Engine

async function build(sources: SourceFiles): Promise<BuiltVersion> {
  const built = await buildVersion(sources, { catalogue, typeCheck: false })
  expect(built.problems).toEqual([])
  if (built.version === null) throw new Error('the starter does not build')
  return built.version
}

beforeAll(async () => {
  files = await loadWorkspaceFolder(folder)
  engine = await createEngine()
  version = await build(files)
})
afterAll(() => engine.dispose())

/** Where a call goes that names a model and says nothing else. */
function targetsOf(model: string, metadata: Record<string, string> = {}): unknown {
  const program = engine.load([{ ...version, nodePath: [] }], { environment: 'development' })
  const isAlias = Object.hasOwn(version.compiled.models, model)
  const targets = isAlias ? [...(version.compiled.models[model] ?? [])] : [model]
  const facts = baseFacts({
    request: { model: { requested: model, targets, ...(isAlias && { alias: model }) }, metadata },
    models: [...new Set([...targets, ...program.candidates])].map((target) => ({
      target,
      health: { state: 'up', errorPpm: 0 },
      lossless: true,
    })),
  })
  const known = {
    compiled: version.compiled,
    names: new LayerPath([0], [namesOf(version.compiled, 'development')]),
    catalogue: indexCatalogue(catalogue.catalogue),
  }
  const models = facts.models.map(({ target }) => columnsOf(target, known))
  const { decision } = program.evaluate({ facts, models, params: {} })
  program.dispose()
  return decision.effect === 'allow' ? decision.plan : decision.reasons.map(({ code }) => code)
}

describe('the starter', () => {
  it('type-checks without a problem, in well under two seconds', async () => {
    const startMs = performance.now()
    expect(await checkTypes(files)).toEqual([])
    expect(performance.now() - startMs).toBeLessThan(1500)
  })

  it('passes all its cases, which see every condition true and false', async () => {
    const report = await runCases(version, files, { engine, catalogue })
    expect(report.results.filter((result) => !result.passed)).toEqual([])
    expect(report).toMatchObject({ failed: 0, problems: [] })
    expect(report.passed).toBeGreaterThan(20)
    const conditions = report.coverage.flatMap((policy) => policy.conditions)
    expect(conditions.length).toBeGreaterThan(2)
    expect(conditions.filter(({ seenTrue, seenFalse }) => !(seenTrue && seenFalse))).toEqual([])
  })

  it('has cases for each of its policies, guardrails and prompts', () => {
    const tested = [...files].flatMap(([path, text]) => {
      if (!/^tests\/.*\.yaml$/.test(path)) return []
      const { policy, guardrail, prompt } = parse(text)
      return [policy ?? guardrail ?? prompt]
    })
    const { policies, guardrails, prompts } = version.compiled
    const all = [...policies, ...guardrails].map(({ id }) => id).concat(prompts.map(({ name }) => name))
    expect(all.filter((name) => !tested.includes(name))).toEqual([])
    expect(policies.map(({ kind }) => kind).sort()).toEqual(['constraint', 'route', 'route'])
  })

  it('has cases that notice when a policy does not do its work', async () => {
    const mutants = [
      ['policies/sensitive-stays-local.policy.json', '"confidential"]', '"secret"]'],
      ['policies/sensitive-stays-local.policy.json', '"on-prem"', '"cloud"'],
      ['policies/sensitive-stays-local.policy.json', '"onError": "deny"', '"onError": "continue"'],
      ['policies/canary.policy.ts', "!== 'smart'", "=== 'smart'"],
      ['policies/canary.policy.ts', 'share()', '1_000_000 - share()'],
      ['policies/canary.policy.ts', "rollout: 'opus-5-5'", "rollout: 'other'"],
      ['policies/canary.policy.ts', "onError: 'continue'", "onError: 'deny'"],
      ['policies/budget-downgrade.policy.ts', '< share()', '> share()'],
      ['policies/budget-downgrade.policy.ts', "!== 'large'", "=== 'large'"],
      ['policies/budget-downgrade.policy.ts', "use('cheap')", "use('smart')"],
      ['guardrails/no-secrets.guardrail.json', '"gt"', '"lt"'],
      ['prompts/summarise.prompt.md', '{{ text }}', '{{ sentences }}'],
    ] as const
    for (const [path, from, to] of mutants) {
      const text = files.get(path) ?? ''
      expect(text).toContain(from)
      const mutated = new Map([...files, [path, text.replace(from, to)]])
      const built = await buildVersion(mutated, { catalogue, typeCheck: false })
      if (built.version === null) continue
      const report = await runCases(built.version, mutated, { engine, catalogue })
      expect(report.failed, `${path}: ${from} → ${to}`).toBeGreaterThan(0)
    }
  })

  it('lets a plain call go to the very model it names', () => {
    for (const target of [
      'openai/gpt-5.2',
      'openai/gpt-5.4-mini',
      'anthropic/claude-sonnet-4.5',
      'google/gemini-2.5-pro',
    ]) {
      expect(targetsOf(target)).toEqual({ target })
    }
  })

  it('keeps confidential calls on machines of our own', () => {
    const metadata = { sensitivity: 'confidential' }
    expect(targetsOf('cheap', metadata)).toEqual({ target: 'local/llama3.3' })
    for (const model of ['smart', 'openai/gpt-5.2']) {
      expect(targetsOf(model, metadata)).toContain('LOCAL_ONLY_CONFIDENTIAL')
    }
  })

  it('names only connections that exist, and models whose price is known', () => {
    const index = indexCatalogue(catalogue.catalogue)
    const connections = { ...nativeConnections, ...version.compiled.connections }
    for (const target of version.compiled.targets) {
      const [connection = '', model = ''] = target.split('/')
      expect(Object.keys(connections)).toContain(connection)
      const isPriced = index.find(connection, model)?.prices !== undefined
      expect(isPriced || Object.hasOwn(version.compiled.catalogue, target), target).toBe(true)
    }
  })

  it('is the same version wherever it is written, and another one under another name', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-starter-'))
    await writeStarter(join(dir, 'same'), { name: 'starter' })
    await writeStarter(join(dir, 'acme'), { name: 'acme' })
    expect((await build(await loadWorkspaceFolder(join(dir, 'same')))).digest).toBe(version.digest)
    const acme = await build(await loadWorkspaceFolder(join(dir, 'acme')))
    expect(acme.compiled.name).toBe('acme')
    expect(acme.digest).not.toBe(version.digest)
    rmSync(dir, { recursive: true })
  })

  it('brings a CI workflow that checks, tests and pushes', () => {
    const workflow = parse(readFileSync(join(folder, '.github/workflows/signalbox.yml'), 'utf8'))
    const commands = workflow.jobs.policies.steps.flatMap((step: { run?: string }) => step.run ?? [])
    expect(commands).toEqual([
      'npx signalbox check --format github',
      'npx signalbox test --coverage --format github',
      'npx signalbox push --env production',
    ])
  })
})
