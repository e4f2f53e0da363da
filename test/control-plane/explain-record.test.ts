import {
  baseFacts,
  buildVersion,
  createEngine,
  type Engine,
  type Evaluation,
  loadCatalogue,
} from '@signalbox/policies'
import type { Facts } from '@signalbox/sdk/contract'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { callRecord, packSegment } from './segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts'
import { enrolGateway, type TestGateway } from './test-gateway.ts'
import { workspaceFiles } from './workspace-files.ts'

const databaseUrl = await createTestDatabase()
const environment = 'development'
let controlPlane: TestControlPlane
let gateway: TestGateway
let engine: Engine
beforeAll(async () => {
  controlPlane = await startTestControlPlane(databaseUrl)
  gateway = await enrolGateway(controlPlane, environment)
  engine = await createEngine()
})
afterAll(async () => {
  engine.dispose()
  await controlPlane.stop()
})

/** What the sandbox really decides for some metadata, as a gateway would record it. */
async function evaluate(
  metadata: Facts['request']['metadata'],
): Promise<{ facts: Facts; evaluation: Evaluation }> {
  const catalogue = loadCatalogue()
  const sources = new Map(workspaceFiles().map(({ path, text }) => [path, text]))
  const { version } = await buildVersion(sources, { catalogue, typeCheck: false })
  if (version === null) throw new Error('the workspace does not build')
  const { digest, script, compiled } = version
  const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment })
  const health = { state: 'up', errorPpm: 0 } as const
  const facts = baseFacts({
    request: { metadata, model: { requested: 'smart', targets: compiled.models.smart ?? [] } },
    models: program.candidates.map((target) => ({ target, health, lossless: true })),
  })
  const models = program.candidates.map((target) => {
    const connection = target.slice(0, target.indexOf('/'))
    return { target, connection, provider: connection, locality: 'cloud' as const, tier: 'unknown' }
  })
  const evaluation = program.evaluate({ facts, params: {}, models })
  program.dispose()
  return { facts, evaluation }
}

async function recordCall(metadata: Facts['request']['metadata']) {
  const { facts, evaluation } = await evaluate(metadata)
  const { decision, policies, fuel, evaluationUs } = evaluation
  const version = await controlPlane.client.pushVersion({ files: workspaceFiles(), environment })
  const denied = decision.effect === 'deny'
  const record = callRecord(
    {
      effect: decision.effect,
      status: denied ? 403 : 200,
      versionDigest: version.digest,
      version: version.version,
      releaseSequence: version.deployment?.release ?? 0,
      stateSequence: 1,
      decisionDigest: evaluation.decisionDigest,
    },
    { factsClass: 'full', facts, decision, policies, fuel, evaluationUs },
  )
  const segment = packSegment([record])
  expect((await gateway.segment(segment, { records: 1, incarnation: newId() })).status).toBe(200)
  return controlPlane.client.explainRecord({ id: record.row.id })
}

describe('explaining a recorded call', () => {
  it('shows every policy as it was decided, matched or not, with the text of its conditions', async () => {
    const explained = await recordCall({ feature: 'polish' })
    expect(
      explained.policies.map(({ id, kind, rule, outcome, file }) => ({ id, kind, rule, outcome, file })),
    ).toEqual([
      {
        id: 'no-free',
        kind: 'constraint',
        rule: null,
        outcome: 'noEffect',
        file: 'policies/no-free.policy.json',
      },
      {
        id: 'switch',
        kind: 'route',
        rule: 'polish',
        outcome: 'chosen',
        file: 'policies/switch.policy.ts',
      },
    ])
    const [constraint, route] = explained.policies.map(({ rules }) => rules[0])
    expect(constraint?.conditions).toMatchObject([
      { outcome: 'false', values: { 'request.metadata.tier': null } },
    ])
    expect(route).toEqual({
      id: 'polish',
      line: 5,
      outcome: 'matched',
      conditions: [
        {
          text: "f.request.metadata.feature === 'polish'",
          shown: 'request.metadata.feature "polish" == "polish"',
          outcome: 'true',
          values: { 'request.metadata.feature': 'polish' },
          masked: [],
        },
      ],
      effects: [expect.stringMatching(/^use /)],
    })
    expect(explained.decision?.effect).toBe('allow')
    expect(explained.verification.status).toBe('same')
    expect(explained.header).toMatchObject({ role: 'stable', gateway: { name: expect.any(String) } })
    expect(explained.layers).toMatchObject([{ workspace: 'acme', node: '', constraints: ['no-free'] }])
    expect(explained.wouldChangeIf.changes.map(({ shown }) => shown)).toContain(
      'request.metadata.tier = "free"',
    )
    expect(explained.summary[0]).toMatch(/^ALLOW {2}smart → /)
    expect(explained.summary.join('\n')).toContain('chosen by acme/switch, rule polish')
    expect(explained.summary.every((line) => !line.includes('\n'))).toBe(true)
    expect(explained.traceUrl).toBeNull()
  })

  it('gives the reasons of a denial', async () => {
    const explained = await recordCall({ tier: 'free' })
    expect(explained.reasons).toMatchObject([{ code: 'TIER_BLOCKED', policy: 'no-free', rule: 'free' }])
    expect(explained.policies.map(({ id, outcome }) => ({ id, outcome }))[0]).toEqual({
      id: 'no-free',
      outcome: 'denied',
    })
    expect(explained.summary[0]).toBe('DENY  smart HTTP 403 TIER_BLOCKED by acme/no-free, rule free')
  })

  it('is refused for a record that is not there', async () => {
    await expect(controlPlane.client.explainRecord({ id: newId() })).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})
