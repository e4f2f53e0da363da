import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Evidence } from '@signalbox/sdk/contract'
import { startTestControlPlane, type TestControlPlane } from '../control-plane/test-control-plane.ts'
import { type CuttableLine, openLine } from './cuttable-line.ts'
import { eventually } from './eventually.ts'
import { type Program, startProgram } from './programs.ts'
import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'

/** A call as its caller saw it. */
export interface SeenCall {
  readonly user: string
  readonly status: number
  /** `x-signalbox-version`: the number, and the arm where a rollout ran. */
  readonly version: number
  readonly arm: 'stable' | 'candidate' | undefined
  readonly id: string
  /** When it was sent and answered, in ms of this process. */
  readonly startMs: number
  readonly endMs: number
}
export interface Traffic {
  readonly users: readonly string[]
  readonly gateways?: readonly number[]
  readonly metadata?: Readonly<Record<string, string>>
}

/** A workspace whose alias `smart` means the target, with what else the test puts into the version. */
function filesOf(url: string, target: string, extra: Readonly<Record<string, string>>) {
  const files: Record<string, string> = {
    'signalbox.yaml': `name: acme
connections:
  up: { provider: openai-compatible, baseUrl: ${url} }
models:
  smart: [up/${target}]
metadata:
  feature: { type: string }
catalogue:
  up/good: { input: 1, output: 2, contextTokens: 100000 }
  up/failing: { input: 1, output: 2, contextTokens: 100000 }
  up/dear: { input: 3, output: 6, contextTokens: 100000 }
  up/slow: { input: 1, output: 2, contextTokens: 100000 }
`,
    ...extra,
  }
  return Object.entries(files).map(([path, text]) => ({ path, text }))
}

/** A route that breaks for every call. */
export const brokenRoute = `import { route, rule, use } from '@signalbox/policies'

export default route('broken', {
  rules: [
    rule('breaks', {
      when: (f) => f.request.tools.names[0]!.length > 3,
      then: () => use('up/good'),
    }),
  ],
})
`
const slowMs = 400

/** Models behave as their names say. */
async function startModels(): Promise<ScriptedUpstream> {
  const upstream = await startScriptedUpstream()
  upstream.play(async (turn) => {
    const model = String(turn.request.json.model)
    if (model === 'failing') {
      turn.json(500, { error: { message: 'no', type: 'server_error' } })
      return
    }
    if (model === 'slow') await wait(slowMs)
    turn.json(200, {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
    })
  })
  return upstream
}

/**
 * How long calls still began at the candidate after the breach: after the call that was the last one that the guards
 * needed, as the evidence counts them.
 */
export function afterBreachMs(calls: readonly SeenCall[], evidence: Evidence | null): number {
  const decided = calls.filter(({ arm }) => arm === 'candidate').sort((a, b) => a.endMs - b.endMs)
  const needed = evidence?.by === 'gateway' ? 3 : (evidence?.candidate?.calls ?? 0)
  const breachMs = decided[needed - 1]?.endMs ?? Number.NEGATIVE_INFINITY
  return Math.max(0, ...decided.map(({ startMs }) => startMs - breachMs))
}

/** A control plane, two gateway programs (the second over a line that can be cut), models, a team with a key. */
export class RolloutWorld {
  readonly plane: TestControlPlane
  readonly line: CuttableLine
  readonly upstream: ScriptedUpstream
  readonly gateways: readonly Program[]
  readonly #folders: readonly string[]
  key = ''

  private constructor(
    parts: Pick<RolloutWorld, 'plane' | 'line' | 'upstream' | 'gateways'>,
    folders: string[],
  ) {
    this.plane = parts.plane
    this.line = parts.line
    this.upstream = parts.upstream
    this.gateways = parts.gateways
    this.#folders = folders
  }

  static async start(databaseUrl: string): Promise<RolloutWorld> {
    const plane = await startTestControlPlane(databaseUrl)
    const upstream = await startModels()
    const { hostname: host, port } = new URL(plane.url)
    const line = await openLine({ host, port: Number(port) })
    const folders: string[] = []
    const gateways: Program[] = []
    for (const url of [plane.url, `http://127.0.0.1:${line.port}`]) {
      const { token, trustRoot } = await plane.client.enrollGateway({ environment: 'development' })
      const folder = mkdtempSync(join(tmpdir(), 'signalbox-rollout-'))
      folders.push(folder)
      gateways.push(
        await startProgram('gateway', {
          SIGNALBOX_DATA_DIR: folder,
          SIGNALBOX_CONTROL_PLANE_URL: url,
          SIGNALBOX_GATEWAY_TOKEN: token,
          SIGNALBOX_TRUST_ROOT: trustRoot,
        }),
      )
    }
    const world = new RolloutWorld({ plane, line, upstream, gateways }, folders)
    await plane.client.createTeam({ name: 'search' })
    const { key } = await plane.client.createKey({ team: 'search', name: 'web' })
    world.key = key
    return world
  }

  get client(): TestControlPlane['client'] {
    return this.plane.client
  }

  /** Pushes a version whose alias `smart` means the target. */
  async push(target: string, extra: Readonly<Record<string, string>> = {}, environment?: string) {
    const files = filesOf(this.upstream.url, target, extra)
    return await this.client.pushVersion({ files, ...(environment !== undefined && { environment }) })
  }

  async ready(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.ready()))
  }

  async call(user: string, gateway: number, metadata: Traffic['metadata'] = {}): Promise<SeenCall> {
    const startMs = performance.now()
    const response = await fetch(`${this.gateways[gateway]?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'smart', user, metadata, messages: [{ role: 'user', content: 'hi' }] }),
    })
    await response.arrayBuffer()
    const said = /^v(\d+)(?:; arm=(stable|candidate))?$/.exec(
      response.headers.get('x-signalbox-version') ?? '',
    )
    const [, number = '0', arm] = said ?? []
    return {
      ...{ user, status: response.status, version: Number(number) },
      arm: arm === 'stable' || arm === 'candidate' ? arm : undefined,
      id: response.headers.get('x-signalbox-decision') ?? '',
      ...{ startMs, endMs: performance.now() },
    }
  }

  /** One call of each user, a few at a time, in turn over the gateways. */
  async round({ users, gateways = [0, 1], metadata }: Traffic): Promise<SeenCall[]> {
    const seen: SeenCall[] = []
    const left = users.map((user, index) => ({ user, gateway: gateways[index % gateways.length] ?? 0 }))
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        seen.push(await this.call(next.user, next.gateway, metadata))
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    return seen
  }

  async current() {
    const { environments } = await this.client.getStatus({ environment: 'development' })
    const [deployment] = environments[0]?.deployments ?? []
    if (deployment === undefined) throw new Error('nothing is deployed')
    return deployment
  }

  /** Once both gateways run what is deployed. */
  async converged(): Promise<void> {
    await eventually(async () => {
      const { environments } = await this.client.getStatus({ environment: 'development' })
      const [place] = environments
      if (place?.converged !== true || place.gateways.some(({ connected }) => !connected)) {
        throw new Error('the gateways have not converged')
      }
    }, 20_000)
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.stop()))
    await this.line.close()
    await this.upstream.close()
    await this.plane.stop()
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }
}
