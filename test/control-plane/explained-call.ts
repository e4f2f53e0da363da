import type {
  CompiledPolicy,
  CompiledWorkspace,
  Decision,
  Facts,
  PolicyResult,
} from '@signalbox/sdk/contract'
import { callRecord } from './segment-lines.ts'

/* A call whose answer came from the second target of a plan that a route chose, with all that its record says. */
export const facts: Facts = {
  schema: 'facts/1',
  phase: 'route',
  nowMs: 1_788_256_931_000,
  seed: 7,
  environment: { name: 'production', region: '' },
  request: {
    id: '01990000-0000-7000-8000-000000000001',
    operation: 'chat',
    dialect: 'openai-chat',
    route: 'docs/edit',
    stream: false,
    model: { requested: 'smart', alias: 'smart', targets: ['openai/gpt-5.5'], tier: 'large' },
    params: { maxOutputTokens: 812_004 },
    messages: { count: 1, chars: 5, hasSystem: false, hasImages: false, lastRole: 'user' },
    tools: { count: 0, names: [] },
    estimate: { inputTokens: 2, outputTokens: 100 },
    bytes: 80,
    metadata: { feature: 'polish' },
  },
  subject: {
    organisationId: '01990000-0000-7000-8000-000000000002',
    keyId: '01990000-0000-7000-8000-000000000003',
    keyName: 'ci',
    node: { id: '01990000-0000-7000-8000-000000000004', path: ['search'] },
    auth: 'key',
  },
  data: { detectors: { 'pii.email': { hits: 2, kinds: ['email'] } }, detectorErrors: [] },
  budget: { levels: [], asOfMs: 0, degraded: false },
  models: [],
  degraded: false,
  truncated: [],
}
export const decision: Decision = {
  schema: 'decision/1',
  effect: 'allow',
  reasons: [],
  plan: {
    strategy: 'ordered',
    of: [{ target: 'anthropic/claude-opus-4-8' }, { target: 'openai/gpt-5.5' }],
  },
  caps: { maxOutputTokens: 4096 },
  guardrails: { input: [], output: [] },
  obligations: [],
  annotations: {},
}

const condition = (text: string, ...reads: string[]) => ({ text, reads, lifted: true })
const policy = (head: Pick<CompiledPolicy, 'id' | 'kind' | 'file' | 'rules'>): CompiledPolicy => ({
  ...head,
  params: {},
  reads: [],
})
const workspace = (policies: CompiledPolicy[]): CompiledWorkspace => ({
  schema: 'compiled/1',
  name: 'acme',
  node: '',
  connections: {},
  models: {},
  metadata: {},
  catalogue: {},
  environments: {},
  policies,
  guardrails: [],
  prompts: [],
  reads: [],
  targets: [],
  safeRoutes: {},
})
export const noFree = policy({
  id: 'no-free',
  kind: 'constraint',
  file: 'policies/no-free.policy.json',
  rules: [
    {
      id: 'free',
      line: 3,
      column: 5,
      conditions: [condition('request.metadata.tier == "free"', 'request.metadata.tier')],
    },
  ],
})
export const pick = policy({
  id: 'switch',
  kind: 'route',
  file: 'policies/switch.policy.ts',
  rules: [
    {
      id: 'long',
      line: 4,
      column: 3,
      conditions: [
        condition('f.request.stream', 'request.stream'),
        condition('f.request.params.maxOutputTokens > 9', 'request.params.maxOutputTokens'),
      ],
    },
    {
      id: 'polish',
      line: 9,
      column: 3,
      conditions: [condition("f.request.metadata.feature === 'polish'", 'request.metadata.feature')],
    },
  ],
})
export const result = (
  part: Partial<PolicyResult> & Pick<PolicyResult, 'id' | 'kind' | 'outcome'>,
): PolicyResult => ({
  workspace: 'acme',
  rule: null,
  trace: '',
  ...part,
})
export const deciders = new Map([['acme', workspace([noFree, pick])]])
export const results = [
  result({ id: 'no-free', kind: 'constraint', outcome: 'noEffect', trace: '0' }),
  result({ id: 'switch', kind: 'route', outcome: 'chosen', rule: 'polish', trace: '0-1' }),
]

export function allowed() {
  return callRecord(
    {
      timeMs: Date.UTC(2026, 8, 1, 10, 2, 11),
      target: 'openai/gpt-5.5',
      version: 12,
      versionDigest: `sha256:${'9c1f'.repeat(16)}`,
      releaseSequence: 4,
      stateSequence: 17,
    },
    {
      factsClass: 'full',
      facts,
      decision,
      policies: results,
      selection: {
        seed: 1,
        order: ['anthropic/claude-opus-4-8', 'openai/gpt-5.5'],
        skipped: [{ target: 'local/llama3.3', reason: 'locality' }],
      },
      attempts: [
        {
          index: 0,
          target: 'anthropic/claude-opus-4-8',
          provider: 'anthropic',
          model: 'claude-opus-4-8',
          startMs: 0,
          durationMs: 40,
          status: 529,
          outcome: 'error',
          errorCode: 'overload',
          evidence: 'none',
          bytesIn: 10,
          winner: false,
        },
        {
          index: 1,
          target: 'openai/gpt-5.5',
          provider: 'openai',
          model: 'gpt-5.5',
          startMs: 0,
          durationMs: 1200,
          status: 200,
          outcome: 'ok',
          evidence: 'reported',
          bytesIn: 10,
          winner: true,
        },
      ],
    },
  )
}
