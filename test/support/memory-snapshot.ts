import type { Evaluation, EvaluationInput, Program } from '@signalbox/policies'
import type {
  CatalogueModel,
  CompiledWorkspace,
  Decision,
  KeyRow,
  PlanNode,
  StateBudget,
  StateLimit,
  TreeNode,
} from '@signalbox/sdk/contract'
import { canonicalJson, createSecret, digestOf, digestOfJson, hashSecret } from '@signalbox/sdk/node'
import type { CatalogueIndex, ResolvedConnection, Snapshot } from '../../gateway/snapshot.ts'

/** A decision as policies make it, allowing the given plan. */
export function allow(plan: PlanNode | undefined, rest: Partial<Decision> = {}): Decision {
  return {
    schema: 'decision/1',
    effect: 'allow',
    reasons: [],
    ...(plan !== undefined && { plan }),
    caps: {},
    guardrails: { input: [], output: [] },
    obligations: [],
    annotations: {},
    ...rest,
  }
}

/** A decision that denies. */
export function deny(reasons: Decision['reasons']): Decision {
  return { ...allow(undefined), effect: 'deny', reasons }
}

export type Decide = (input: EvaluationInput) => Decision

/** The default route: what was asked for, in order. */
export const asAsked: Decide = ({ facts }) => {
  const of = facts.request.model.targets.map((target) => ({ target }))
  return allow({ strategy: 'ordered', of })
}

/** A program whose policy is a function of the test. */
export function programOf(decide: Decide, candidates: readonly string[] = []): Program {
  const evaluate = (input: EvaluationInput): Evaluation => {
    const decision = decide(input)
    const decisionJson = canonicalJson(decision)
    const decisionDigest = digestOf(decisionJson)
    return { decision, decisionJson, decisionDigest, policies: [], fuel: 1, evaluationUs: 1 }
  }
  return {
    environment: 'development',
    workspaces: ['acme'],
    candidates,
    policies: [],
    guardrails: [],
    evaluate,
    inspect: (input) => ({ ...evaluate(input), outcomes: [] }),
    screen() {
      throw new RangeError('no guardrail')
    },
    dispose() {},
  }
}

/** A few models with round prices: 1 USD a million input, 2 output, where the test does not say otherwise. */
export const smallCatalogue: readonly CatalogueModel[] = [
  modelRow('openai', 'gpt-5.2', ['gpt-5-2']),
  modelRow('openai', 'gpt-5-mini'),
  modelRow('anthropic', 'claude-sonnet-4-5', ['claude-sonnet-4.5']),
  modelRow('anthropic', 'claude-opus-4-8', ['claude-opus-4.8']),
]

function modelRow(provider: string, id: string, spellings: string[] = []): CatalogueModel {
  const prices = [{ units: { input: 1_000_000, output: 2_000_000 } }]
  return { provider, id, spellings, prices, contextTokens: 200_000, outputTokensMax: 8192, tier: 'mid' }
}

export function catalogueOf(models: readonly CatalogueModel[]): CatalogueIndex {
  return {
    digest: digestOfJson(models),
    find: (vendor, name) =>
      models.find(
        (each) =>
          (vendor === undefined || each.provider === vendor) &&
          (each.id === name || each.spellings.includes(name)),
      ),
    list: (vendor) => models.filter((each) => each.provider === vendor),
  }
}

/** A connection that is there; `openai` with a credential where nothing else is said. */
export function connectionOf(name: string, rest: Partial<ResolvedConnection> = {}): ResolvedConnection {
  return {
    name,
    provider: name === 'anthropic' ? 'anthropic' : 'openai',
    baseUrl: undefined,
    locality: 'cloud',
    region: undefined,
    status: 'available',
    missing: undefined,
    credential: 'upstream-secret-0123456789',
    ...rest,
  }
}

export interface MemorySnapshotOptions {
  readonly connections?: readonly ResolvedConnection[]
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  readonly workspace?: Partial<CompiledWorkspace>
  readonly decide?: Decide
  readonly candidates?: readonly string[]
  readonly program?: Program
  readonly catalogue?: readonly CatalogueModel[]
  readonly expiresMs?: number
  readonly budgets?: readonly StateBudget[]
  readonly limits?: readonly StateLimit[]
}

/** The key that every memory snapshot knows, and one that it has revoked. */
export const memoryKey = createSecret('key', { environment: 'development' })
export const revokedKey = createSecret('key', { environment: 'development' })

const emptyWorkspace: CompiledWorkspace = {
  schema: 'compiled/1',
  name: 'acme',
  node: '',
  connections: {},
  models: {},
  metadata: {},
  catalogue: {},
  environments: {},
  policies: [],
  guardrails: [],
  prompts: [],
  reads: [],
  targets: [],
  safeRoutes: {},
}
const nodes: readonly TreeNode[] = [
  { id: 'org-1', parentId: null, kind: 'organisation', name: 'default' },
  { id: 'team-1', parentId: 'org-1', kind: 'team', name: 'search' },
  { id: 'project-1', parentId: 'team-1', kind: 'project', name: 'ranking' },
]
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`

/** A snapshot in memory: one workspace at the root, one key in a project of the team `search`. */
export function memorySnapshot(options: MemorySnapshotOptions = {}): Snapshot {
  const connections = options.connections ?? [connectionOf('openai'), connectionOf('anthropic')]
  const compiled = { ...emptyWorkspace, ...options.workspace }
  const key: KeyRow = {
    hash: hashSecret(memoryKey),
    id: 'key-1',
    node: 'project-1',
    name: 'ci',
    expiresMs: options.expiresMs ?? null,
  }
  const head = {
    organisationId: 'org-1',
    environment: 'development',
    createdMs: 1_790_000_000_000,
    expiresMs: 1_890_000_000_000,
    rollbackOf: null,
  }
  return {
    release: {
      type: 'release/1',
      ...head,
      sequence: 3,
      engine: digest('a'),
      catalogue: digest('b'),
      workspaces: [],
      versions: {},
    },
    state: {
      type: 'state/1',
      ...head,
      sequence: 7,
      stateAgeMsMax: 0,
      tree: digest('c'),
      keys: { format: 'kidx/1', count: 1, prefixLength: 0, root: digest('d'), shards: [] },
      revoked: [],
      limits: {},
      params: {},
      freeze: null,
      ...(options.budgets !== undefined && { budgets: [...options.budgets] }),
      ...(options.limits !== undefined && { rateLimits: [...options.limits] }),
    },
    program: options.program ?? programOf(options.decide ?? asAsked, options.candidates),
    versions: [{ digest: digest('e'), number: 12, compiled, nodePath: [], nodeId: 'org-1' }],
    connections: new Map(connections.map((each) => [each.name, each])),
    aliases: new Map(Object.entries(options.aliases ?? {})),
    catalogue: catalogueOf(options.catalogue ?? smallCatalogue),
    params: {},
    nodes: new Map(nodes.map((node) => [node.id, node])),
    findKey(hash) {
      if (hash === hashSecret(revokedKey)) return 'revoked'
      return hash === key.hash ? key : undefined
    },
  }
}
