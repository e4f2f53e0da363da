import type { CallRecord, Facts, RecordRow } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import { environment, gatewayId, organisationId } from './signed-documents.ts'

const digest = digestOf('x')
const keyId = '01990000-0000-7000-8000-00000000000a'
export const incarnationId = '01990000-0000-7000-8000-0000000000aa'

function facts(): Facts {
  return {
    schema: 'facts/1',
    phase: 'route',
    nowMs: 1_800_000_000_000,
    seed: 7,
    environment: { name: environment, region: '' },
    request: {
      id: keyId,
      operation: 'chat',
      dialect: 'openai-chat',
      route: '',
      stream: false,
      model: { requested: 'smart', alias: 'smart', targets: ['openai/gpt-5.5'], tier: 'large' },
      params: { maxOutputTokens: 1024 },
      messages: { count: 3, chars: 1200, hasSystem: true, hasImages: false, lastRole: 'user' },
      tools: { count: 0, names: [] },
      estimate: { inputTokens: 300, outputTokens: 1024, maxCostNanoUsd: 1_000_000 },
      bytes: 1500,
      metadata: { feature: 'search' },
      client: 'openai-node/7.57.0',
    },
    subject: {
      organisationId,
      keyId,
      keyName: 'ci',
      node: { id: organisationId, path: ['search'] },
      auth: 'key',
    },
    data: { detectors: {}, detectorErrors: [] },
    budget: { levels: [], asOfMs: 1_800_000_000_000, degraded: false },
    models: [
      { target: 'openai/gpt-5.5', health: { state: 'up', errorPpm: 0 }, lossless: true },
      { target: 'anthropic/claude-opus-4-8', health: { state: 'up', errorPpm: 0 }, lossless: true },
    ],
    degraded: false,
    truncated: [],
  }
}

/** A record of a call that went well, some 3 KB of JSON. */
export function callRecord(row: Partial<RecordRow> & { sequence: number }): CallRecord {
  return {
    row: {
      id: `01990000-0000-7000-9000-${row.sequence.toString(16).padStart(12, '0')}`,
      organisationId,
      environment,
      gatewayId,
      incarnation: incarnationId,
      timeMs: 1_800_000_000_000,
      durationMs: 812.5,
      keyId,
      nodeId: organisationId,
      operation: 'chat',
      dialect: 'openai-chat',
      stream: false,
      modelRequested: 'smart',
      target: 'openai/gpt-5.5',
      provider: 'openai',
      policy: 'canary',
      rule: 'new',
      effect: 'allow',
      status: 200,
      truncated: false,
      attempts: 1,
      usage: { input: 300, output: 120 },
      evidence: 'reported',
      costNanoUsd: '1234500',
      metadata: { feature: 'search' },
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      factsDigest: digest,
      decisionDigest: digest,
      versionDigest: digest,
      version: 12,
      releaseSequence: 3,
      stateSequence: 40,
      cache: 'off',
      identity: true,
      assembled: false,
      ...row,
    },
    body: {
      factsClass: 'full',
      facts: facts(),
      decision: {
        schema: 'decision/1',
        effect: 'allow',
        reasons: [
          { code: 'CANARY', policy: 'canary', rule: 'new', workspace: 'starter', audience: 'operator' },
        ],
        plan: {
          strategy: 'ordered',
          of: [{ target: 'openai/gpt-5.5' }, { target: 'anthropic/claude-opus-4-8' }],
        },
        caps: { maxOutputTokens: 4096 },
        guardrails: { input: [], output: [] },
        obligations: [],
        annotations: {},
      },
      policies: [
        {
          id: 'sensitive-stays-local',
          kind: 'constraint',
          workspace: 'starter',
          rule: null,
          outcome: 'noEffect',
          trace: '0',
        },
        { id: 'canary', kind: 'route', workspace: 'starter', rule: 'new', outcome: 'chosen', trace: '11' },
      ],
      fuel: 8588,
      evaluationUs: 43.2,
      selection: { seed: 7, order: ['openai/gpt-5.5', 'anthropic/claude-opus-4-8'], skipped: [] },
      attempts: [
        {
          index: 0,
          target: 'openai/gpt-5.5',
          provider: 'openai',
          model: 'gpt-5.5',
          startMs: 1_800_000_000_002,
          durationMs: 800.25,
          firstByteMs: 300.5,
          status: 200,
          outcome: 'ok',
          upstreamRequestId: 'req_0123456789',
          usage: { input: 300, output: 120 },
          evidence: 'reported',
          costNanoUsd: '1234500',
          finish: 'stop',
          bytesIn: 2048,
          winner: true,
        },
      ],
      verdicts: [],
      dropped: [],
      undeclaredMetadata: [],
      text: { received: 512, delivered: 512 },
    },
  }
}
