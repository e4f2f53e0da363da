import {
  baseFacts,
  buildVersion,
  createEngine,
  type Engine,
  type Evaluation,
  type EvaluationInput,
  loadCatalogue,
  type Program,
} from '@signalbox/policies'
import type { Facts } from '@signalbox/sdk/contract'

export const workspaceFile = `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY, region: us }
  anthropic: { provider: anthropic, credential: secret:anthropic }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem, region: eu }
models:
  smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]
  cheap: [openai/gpt-5-mini, local/llama3.3]
  house: [local/llama3.3]
metadata:
  tier: { enum: [free, paid] }
  feature: { type: string }
  level: { type: integer }
catalogue:
  local/llama3.3: { input: 0, output: 0 }
`

export type Files = Readonly<Record<string, string>>

/** A policy file in JSON form. */
export function policy(
  kind: 'constraint' | 'route',
  id: string,
  rules: unknown[],
  options: object = {},
): Files {
  return { [`policies/${id}.policy.json`]: JSON.stringify({ kind, id, ...options, rules }) }
}

/** A policy file in TypeScript, with the whole authoring API in scope. */
export function script(id: string, text: string): Files {
  const api =
    'constraint, route, rule, use, only, deny, requireGuard, cap, inBucket, param, continueRoute, ordered'
  return { [`policies/${id}.policy.ts`]: `import { ${api} } from '@signalbox/policies'\n${text}\n` }
}

/** Guardrails that policies of these tests demand. */
export const guardrails: Files = Object.fromEntries(
  (['input', 'output'] as const).map((direction) => [
    `guardrails/${direction}.guardrail.json`,
    JSON.stringify({
      kind: 'guardrail',
      id: `scan-${direction}`,
      direction,
      when: { gt: [{ fact: 'findings.pii.hits', or: 0 }, 0] },
      then: { block: { code: 'PII' } },
    }),
  ]),
)

export interface LayerSources {
  readonly files: Files
  readonly nodePath?: readonly string[]
}

/** Builds workspaces and loads them as the layers of one program. */
export async function programOf(
  engine: Engine,
  layers: readonly LayerSources[],
  environment = 'development',
): Promise<Program> {
  const loaded = []
  for (const { files, nodePath = [] } of layers) {
    const sources = new Map(Object.entries({ 'signalbox.yaml': workspaceFile, ...guardrails, ...files }))
    const { problems, version } = await buildVersion(sources, {
      catalogue: loadCatalogue(),
      typeCheck: false,
    })
    const errors = problems.filter(({ severity }) => severity === 'error')
    if (version === null || errors.length > 0) throw new Error(JSON.stringify(errors))
    const { digest, script: text, compiled } = version
    loaded.push({ digest, script: text, compiled, nodePath })
  }
  return engine.load(loaded, { environment })
}

export type PartialFacts = NonNullable<Parameters<typeof baseFacts>[0]>

/** Facts of a call to `cheap`, with what a test lays over them. */
export function factsOf(over: PartialFacts = {}): Facts {
  const model = { requested: 'cheap', alias: 'cheap', targets: ['openai/gpt-5-mini', 'local/llama3.3'] }
  return baseFacts({ ...over, request: { model, ...over.request } })
}

export function evaluate(
  program: Program,
  over: PartialFacts = {},
  input: Partial<EvaluationInput> = {},
): Evaluation {
  return program.evaluate({ facts: factsOf(over), models: [], params: {}, ...input })
}

/** What a test looks at first. */
export function summary({ decision, policies, failure }: Evaluation) {
  return {
    effect: decision.effect,
    plan: decision.plan,
    reasons: decision.reasons.map(({ code, rule }) => (rule === '' ? code : `${code} by ${rule}`)),
    policies: policies.map(({ id, outcome, rule, trace }) =>
      `${id} ${outcome} ${rule ?? '-'} ${trace}`.trim(),
    ),
    failure: failure?.code,
  }
}

export { createEngine }
