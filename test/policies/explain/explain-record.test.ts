import { type ExplainedVersion, explainRecord } from '@signalbox/policies'
import { Explanation } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { policy, script } from '../engine/programs.ts'
import { catalogue, createEngine, explain, type Recorded, recordOf, versionOf } from './recorded-calls.ts'

let engine: Awaited<ReturnType<typeof createEngine>>
let version: ExplainedVersion
beforeAll(async () => {
  engine = await createEngine()
  version = await versionOf(files)
})
afterAll(() => engine.dispose())

const freeTier = policy('constraint', 'free-tier', [
  {
    id: 'on-prem',
    when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
    then: [
      { only: { where: { locality: 'on-prem' }, code: 'FREE_IS_LOCAL' } },
      { cap: { maxOutputTokens: 1000 } },
      { requireGuard: { id: 'scan-input', direction: 'input', onError: 'pass' } },
    ],
  },
  {
    id: 'loud',
    when: {
      all: [{ gt: [{ fact: 'request.estimate.outputTokens' }, 4000] }, { not: { fact: 'request.stream' } }],
    },
    then: { deny: { code: 'TOO_LONG', http: 413, message: 'Too long.' } },
  },
])
const canary = script(
  'canary',
  `const share = param.int('canary_ppm', { default: 50_000, min: 0, max: 1_000_000 })
export default route('canary', { rules: [
  rule('new', {
    when: (f) => f.request.metadata.feature === 'x' && inBucket(f, { rollout: 'r', ppm: share() }),
    then: () => use('smart'),
  }),
  rule('odd', { when: (f) => f.request.tools.names.join('') > 'z', then: () => use('house') }),
  rule('rest', { then: () => use('cheap') }),
] })`,
)
const files = {
  ...freeTier,
  ...canary,
  ...policy('route', 'late', [{ id: 'l', then: { use: { model: 'smart' } } }]),
}
const metadata = (values: object) => ({ request: { metadata: values } }) as NonNullable<Recorded['facts']>

describe('the tree of an explanation', () => {
  it('fits the contract, keeps decision, policies and reasons, and says that it computed the same again', async () => {
    const explained = await explain(engine, [version], { facts: metadata({ tier: 'free' }) })
    expect(fits(Explanation, JSON.parse(JSON.stringify(explained)))).toBe(true)
    expect(explained.verification).toMatchObject({ status: 'same', why: null })
    expect(explained.verification.recomputedDigest).toBe(explained.verification.recordedDigest)
    expect(explained.decision?.plan).toEqual({ target: 'local/llama3.3' })
    expect(explained.policies.map(({ id, kind, rule, outcome }) => ({ id, kind, rule, outcome }))).toEqual([
      { id: 'free-tier', kind: 'constraint', rule: 'on-prem', outcome: 'narrowed' },
      { id: 'canary', kind: 'route', rule: 'rest', outcome: 'chosen' },
      { id: 'late', kind: 'route', rule: null, outcome: 'notReached' },
    ])
    expect(explained.reasons.map(({ code }) => code)).toEqual(['FREE_IS_LOCAL'])
  })

  it('has each condition with its values, true, false or not evaluated', async () => {
    const { policies } = await explain(engine, [version], { facts: metadata({ feature: 'x' }) })
    const conditions = policies.flatMap(({ rules }) => rules.flatMap((rule) => rule.conditions))
    expect(conditions.map(({ shown, outcome }) => `${outcome} ${shown}`)).toEqual([
      'false request.metadata.tier absent, so "paid" == "free"',
      'false request.estimate.outputTokens 100 > 4,000',
      'notEvaluated request.stream false',
      'true request.metadata.feature "x" == "x"',
      'false bucket of "r" no sticky key < canary_ppm 50,000',
      "false f.request.tools.names.join('') > 'z' (request.tools.names [])",
    ])
    expect(conditions[0]?.values).toEqual({ 'request.metadata.tier': null })
  })

  it('tells what each rule came to, and what it said', async () => {
    const { policies } = await explain(engine, [version], { facts: metadata({ tier: 'free' }) })
    expect(policies.flatMap(({ rules }) => rules.map(({ id, outcome }) => `${id} ${outcome}`))).toEqual([
      'on-prem matched',
      'loud notMatched',
      'new notMatched',
      'odd notMatched',
      'rest matched',
      'l notAsked',
    ])
    expect(policies[0]?.rules[0]?.effects).toEqual([
      'only locality on-prem',
      'cap maxOutputTokens ≤ 1,000',
      'guard input scan-input, pass if it cannot run',
    ])
    expect(policies[0]).toMatchObject({
      caps: { maxOutputTokens: 1000 },
      guardrails: ['input scan-input, pass if it cannot run'],
    })
  })

  it('says who was taken from the candidates, by which rule and why', async () => {
    const { candidates, policies } = await explain(engine, [version], { facts: metadata({ tier: 'free' }) })
    expect(candidates).toMatchObject({ before: 4, after: 1 })
    expect(policies[0]?.narrowing).toEqual(candidates)
    expect(candidates?.removed[0]).toEqual({
      target: 'anthropic/claude-opus-4-8',
      workspace: 'acme',
      policy: 'free-tier',
      rule: 'on-prem',
      code: 'FREE_IS_LOCAL',
      why: 'locality cloud, not on-prem',
    })
  })

  it('heads with version, role, revision of the params, gateway and cost of the evaluation', async () => {
    const record = recordOf(engine, [version])
    const options = { record, versions: [version], engine, catalogue, gatewayName: 'eu-2' }
    const { header, selection } = await explainRecord(options)
    expect(header).toMatchObject({
      environment: 'development',
      version: 12,
      role: 'stable',
      params: 40,
      gateway: { name: 'eu-2' },
      fuel: record.body.fuel,
    })
    expect(selection).toMatchObject({ strategy: 'ordered', seed: 7, health: { 'openai/gpt-5.5': 'up' } })
  })

  it('goes layer by layer', async () => {
    const team = await versionOf(
      policy('constraint', 'team', [{ id: 'c', then: { cap: { maxOutputTokens: 5 } } }]),
      {
        nodePath: ['search'],
      },
    )
    const own = { ...team, compiled: { ...team.compiled, name: 'search' } }
    const { layers, verification } = await explain(engine, [version, own])
    expect(verification.status).toBe('same')
    expect(
      layers.map(({ workspace, node, constraints, routes }) => ({ workspace, node, constraints, routes })),
    ).toEqual([
      { workspace: 'acme', node: '', constraints: ['free-tier'], routes: ['canary', 'late'] },
      { workspace: 'search', node: 'search', constraints: ['team'], routes: [] },
    ])
  })
})

describe('the check of the recorded decision', () => {
  it('says so where the digest is another one, and shows no effects that were not recorded', async () => {
    const recordedDigest = `sha256:${'0'.repeat(64)}`
    const explained = await explain(engine, [version], { row: { decisionDigest: recordedDigest } })
    expect(explained.verification).toMatchObject({ status: 'different', recordedDigest })
    expect(explained.verification.recomputedDigest).not.toBe(recordedDigest)
    expect(explained.policies.flatMap(({ rules }) => rules.flatMap(({ effects }) => effects))).toEqual([])
    expect(explained.wouldChangeIf.changes).toEqual([])
    expect(explained.summary.join(' ')).toContain('ANOTHER DECISION')
  })

  it('finds facts that are not the ones that were recorded', async () => {
    const record = recordOf(engine, [version], { row: { factsDigest: `sha256:${'1'.repeat(64)}` } })
    if (record.body.facts !== undefined) record.body.facts.request.metadata = { tier: 'free' }
    const { verification } = await explainRecord({ record, versions: [version], engine, catalogue })
    expect(verification).toMatchObject({
      status: 'different',
      why: 'the facts are not the ones whose digest was recorded',
    })
  })

  it('reads params from the record: another default now does not matter', async () => {
    const params = { acme: { canary_ppm: 1_000_000 } }
    const facts = { ...metadata({ feature: 'x' }), subject: { stickyKey: 'me' } }
    const record = recordOf(engine, [version], { facts, params })
    expect(
      (await explainRecord({ record, versions: [version], engine, catalogue })).verification.status,
    ).toBe('same')
    const { params: _, ...body } = record.body
    const without = { ...record, body }
    const options = { versions: [version], engine, catalogue }
    expect((await explainRecord({ ...options, record: without })).verification.status).toBe('different')
    expect((await explainRecord({ ...options, record: without, params })).verification.status).toBe('same')
  })

  it('claims nothing where facts were not recorded, and no rules where the version is gone', async () => {
    const { body, row } = recordOf(engine, [version])
    const { facts: _, ...rest } = body
    const bare = await explainRecord({ record: { row, body: rest }, versions: [version], engine, catalogue })
    expect(bare.verification).toMatchObject({ status: 'unchecked', why: 'the facts were not recorded' })
    expect(bare.policies[0]?.rules[0]?.conditions[0]).toMatchObject({ outcome: 'false', values: {} })
    const gone = await explainRecord({ record: { row, body }, versions: [], engine, catalogue })
    expect(gone.verification.status).toBe('unchecked')
    expect(gone.policies.map(({ file, rules }) => ({ file, rules }))).toEqual(
      gone.policies.map(() => ({ file: null, rules: [] })),
    )
  })

  it('survives a version that does not run here', async () => {
    const record = recordOf(engine, [version])
    const versions = [{ ...version, script: 'throw new Error("other engine")' }]
    const { verification } = await explainRecord({ record, versions, engine, catalogue })
    expect(verification.status).toBe('unchecked')
    expect(verification.why).toContain('does not run here')
  })
})

describe('facts that nobody knows any more', () => {
  it('are shown as masked, make what depends on them unknown, and are never taken for empty', async () => {
    const masked = ['request.metadata.tier']
    const explained = await explain(engine, [version], {
      facts: metadata({ tier: 'free' }),
      body: { masked },
    })
    const [condition] = explained.policies[0]?.rules[0]?.conditions ?? []
    expect(condition).toMatchObject({
      outcome: 'unknown',
      shown: 'request.metadata.tier ‹masked› == "free"',
      values: { 'request.metadata.tier': '‹masked›' },
      masked,
    })
    expect(explained.verification).toMatchObject({ status: 'unchecked' })
    expect(explained.verification.why).toContain('request.metadata.tier')
    expect(explained.wouldChangeIf.changes).toEqual([])
  })

  it('do not stop the check where no policy reads them', async () => {
    const { verification } = await explain(engine, [version], { body: { masked: ['request.client'] } })
    expect(verification.status).toBe('same')
  })

  it('are the cut ones too', async () => {
    const facts = { ...metadata({}), truncated: ['request.tools.names'] }
    const { policies, cut, verification } = await explain(engine, [version], { facts })
    const condition = policies.find(({ id }) => id === 'canary')?.rules[1]?.conditions[0]
    expect(condition).toMatchObject({ outcome: 'unknown', masked: ['request.tools.names'] })
    expect(cut).toEqual(['request.tools.names'])
    expect(verification.status).toBe('same')
  })
})

describe('calls that ended before their decision', () => {
  it('say so, and name what was wrong', async () => {
    const record = recordOf(engine, [version])
    const { row, body } = record
    const error = { code: 'metadata_invalid', message: 'tier must be one of free, paid' }
    const { decision: _, facts: __, ...rest } = body
    const undecided = {
      row: { ...row, effect: 'none' as const, status: 400, errorCode: error.code },
      body: { ...rest, policies: [], attempts: [], error },
    }
    const explained = await explainRecord({ record: undecided, versions: [], engine, catalogue })
    expect(explained.notDecided).toBe(
      'No policy was asked: the call ended before its decision (metadata_invalid: tier must be one of free, paid).',
    )
    expect(explained.summary[0]).toBe('NOT DECIDED  cheap HTTP 400 metadata_invalid')
    expect(explained.summary.join('\n')).not.toContain('would change')
  })
})

it('says of a line of a batch which call decided it', async () => {
  const record = recordOf(engine, [version])
  const { decision: _, facts: __, ...rest } = record.body
  const batch = { batchId: 'b', callId: '019a', providerId: 'batch_1', line: 'a' }
  const line = { ...record, body: { ...rest, policies: [], attempts: [], batch } }
  const explained = await explainRecord({ record: line, versions: [], engine, catalogue })
  expect(explained.summary.join('\n')).toContain(
    'Line "a" of the batch batch_1: decided when that was made, by the call 019a.',
  )
  expect(explained.summary.join('\n')).not.toContain('would change')
})
