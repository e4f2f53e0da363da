import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '@signalbox/sdk'
import type { budgetOperations, ReplyOf } from '@signalbox/sdk/contract'
import {
  type BillingUpstream,
  billedPrices,
  promptFor,
  startBillingUpstream,
  type Way,
} from './billing-upstream.ts'
import { eventually } from './eventually.ts'
import { type Program, startControlPlane, startProgram } from './programs.ts'

export type BudgetView = ReplyOf<(typeof budgetOperations)['getBudget']>
type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

const triesMax = 20

/** What became of one call. */
export interface CallResult {
  readonly name: string
  readonly status: number
  /** The code of its refusal. */
  readonly code: string | undefined
  /** The answer came to its end. */
  readonly isWhole: boolean
  /** It says that it ended where the money did. */
  readonly isCut: boolean
  /** `x-signalbox-decision`: the id that settlements have. */
  readonly id: string | undefined
}
export interface CallOptions {
  readonly gateway: number
  readonly key: string
  readonly name: string
  readonly tokens: number
  readonly tokensMax: number
  readonly isStream?: boolean
  readonly paceMs?: number
  /** `plain`, `open` (shows all its output, so that a hold may grow), or a whole model name. */
  readonly model?: string
  /** How the shaky connection answers it. */
  readonly way?: Way
  readonly signal?: AbortSignal
}

/** @param times how much dearer than the provider bills. */
const workspace = (upstreamUrl: string, times = 1): string => `name: money
connections:
  bank: { provider: openai-compatible, baseUrl: ${upstreamUrl}/v1 }
catalogue:
  bank/plain: { input: ${times * billedPrices.input}, output: ${times * billedPrices.output}, contextTokens: 128000, outputTokensMax: 64000 }
  bank/open: { input: ${times * billedPrices.input}, output: ${times * billedPrices.output}, contextTokens: 128000, outputTokensMax: 64000, visibleOutput: true, abortStopsBilling: true }
`

/** A control plane and gateways as processes, and a provider whose bill is known. */
export class MoneyWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-money-'))
  readonly upstream: BillingUpstream
  readonly #planeEnv: Readonly<Record<string, string>>
  readonly #gatewayEnvs: Record<string, string>[] = []
  readonly gateways: Program[] = []
  plane: ControlPlane

  private constructor(
    upstream: BillingUpstream,
    plane: ControlPlane,
    planeEnv: Readonly<Record<string, string>>,
  ) {
    this.upstream = upstream
    this.plane = plane
    this.#planeEnv = { ...planeEnv, SIGNALBOX_CONTROL_PLANE_PORT: new URL(plane.url).port }
  }

  /**
   * @param options.planeEnv such as `DATABASE_URL`. @param options.running how many gateways run at once; all if left
   * out. @param options.line the address that gateways reach the control plane by.
   */
  static async start(options: {
    readonly gateways: number
    readonly running?: number
    readonly planeEnv?: Readonly<Record<string, string>>
    readonly gatewayEnv?: (number: number) => Readonly<Record<string, string>>
    readonly line?: (planeUrl: string) => Promise<string>
    /** The `signalbox.yaml` that gateways begin with. */
    readonly text?: (upstreamUrl: string) => string
  }): Promise<MoneyWorld> {
    const upstream = await startBillingUpstream()
    const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-plane-'))
    const planeEnv = { SIGNALBOX_LOG_LEVEL: 'warn', ...options.planeEnv }
    const plane = await startControlPlane(dataDir, planeEnv)
    const world = new MoneyWorld(upstream, plane, { ...planeEnv, SIGNALBOX_DATA_DIR: dataDir })
    await world.deploy(options.text?.(upstream.url) ?? workspace(upstream.url))
    const planeUrl = (await options.line?.(plane.url)) ?? plane.url
    for (let number = 0; number < options.gateways; number++) {
      const { token, trustRoot } = await plane.client.enrollGateway({ environment: 'development' })
      world.#gatewayEnvs.push({
        ...{ SIGNALBOX_CONTROL_PLANE_URL: planeUrl, SIGNALBOX_GATEWAY_TOKEN: token },
        ...{ SIGNALBOX_TRUST_ROOT: trustRoot, SIGNALBOX_DATA_DIR: join(world.folder, `gateway-${number}`) },
        ...{ SIGNALBOX_LOG_LEVEL: 'warn', ...options.gatewayEnv?.(number) },
      })
    }
    const numbers = [...world.#gatewayEnvs.keys()].slice(0, options.running)
    await Promise.all(numbers.map((number) => world.boot(number)))
    return world
  }

  /** Deploys a price list that is so many times the provider's, and waits until all gateways have it. */
  setPrices(times: number): Promise<void> {
    return this.deploy(workspace(this.upstream.url, times))
  }

  /** Deploys a `signalbox.yaml`, and waits until all gateways have it. */
  async deploy(text: string): Promise<void> {
    const files = [{ path: 'signalbox.yaml', text }]
    await this.client.pushVersion({ files, environment: 'development' })
    await this.converged()
  }

  /**
   * Waits until gateways have what is deployed, the connected ones and those of these numbers: one that has just begun
   * with what is on its disk may not be connected yet.
   */
  async converged(numbers: readonly number[] = []): Promise<void> {
    await eventually(async () => {
      const { environments } = await this.client.getStatus({ environment: 'development' })
      const hasIt = ({ converged, release, gateways }: (typeof environments)[number]): boolean =>
        converged &&
        numbers.every((number) =>
          gateways.some((each) => each.name === `development-${number + 1}` && each.release === release),
        )
      if (!environments.every(hasIt)) throw new Error('not all gateways have it')
    }, 60_000)
  }

  get client(): Client {
    return this.plane.client
  }

  /** Starts a gateway (again) on its folder. */
  async boot(number: number): Promise<void> {
    const program = await startProgram('gateway', this.#gatewayEnvs[number] ?? {})
    await program.ready()
    this.gateways[number] = program
  }

  /** Starts the control plane again, at its address. */
  async bootPlane(): Promise<void> {
    const { SIGNALBOX_DATA_DIR: dataDir = '', ...env } = this.#planeEnv
    this.plane = await startControlPlane(dataDir, env)
  }

  /** A team with a budget and a key per name, which may have budgets of their own. */
  async team(
    name: string,
    options: { readonly limit: bigint; readonly keys: Readonly<Record<string, bigint | undefined>> },
  ): Promise<{ budget: BudgetView; keys: { id: string; key: string; budget: BudgetView | undefined }[] }> {
    const { client } = this
    await client.createTeam({ name })
    const budget = await client.setBudget({ team: name, window: 'month', limit: String(options.limit) })
    const keys = []
    for (const [label, limit] of Object.entries(options.keys)) {
      const { id, key } = await client.createKey({ team: name, name: label })
      const own =
        limit === undefined
          ? undefined
          : await client.setBudget({ key: id, window: 'total', limit: String(limit) })
      keys.push({ id, key, budget: own })
    }
    return { budget, keys }
  }

  /** A call that comes again where the ledger was too slow for it (503), as clients do. */
  async call(options: CallOptions): Promise<CallResult> {
    for (let tries = 1; ; tries++) {
      const result = await this.callOnce(options)
      if (result.status !== 503 || tries >= triesMax) return result
      await wait(50 * tries)
    }
  }

  async callOnce(options: CallOptions): Promise<CallResult> {
    const { gateway, key, name, tokens, tokensMax, isStream = false, model = 'plain' } = options
    const body = {
      ...{ model: /^(plain|open)$/.test(model) ? `bank/${model}` : model },
      ...{ max_tokens: tokensMax, stream: isStream },
      messages: [
        {
          role: 'user',
          content: promptFor(name, { tokens, paceMs: options.paceMs ?? 0, way: options.way ?? 'ok' }),
        },
      ],
    }
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }
    let id: string | undefined
    try {
      const response = await fetch(`${this.gateways[gateway]?.url}/v1/chat/completions`, init)
      id = response.headers.get('x-signalbox-decision') ?? undefined
      const text = await response.text()
      const code = response.ok ? undefined : String(JSON.parse(text).error?.code)
      const isWhole = response.ok && (!isStream || text.includes('[DONE]'))
      const isCut = response.headers.has('x-signalbox-cut') || text.includes('\n: signalbox cut=')
      return { name, status: response.status, code, isWhole, isCut, id }
    } catch {
      return { name, status: 0, code: undefined, isWhole: false, isCut: false, id }
    }
  }

  /** A budget's running window in numbers; all zero before its first call. */
  async sums(budgetId: string) {
    const { current, limit } = await this.client.getBudget({ id: budgetId })
    const of = (name: 'settled' | 'leased' | 'stranded' | 'overrun') => BigInt(current?.[name] ?? 0)
    const [settled, leased, stranded, overrun] = [of('settled'), of('leased'), of('stranded'), of('overrun')]
    return { limit: BigInt(limit), settled, leased, stranded, overrun }
  }

  /** Waits until the ledger says of a budget what the check asks for. */
  eventually(
    budgetId: string,
    check: (sums: Awaited<ReturnType<MoneyWorld['sums']>>) => void,
    timeoutMs = 10_000,
  ) {
    return eventually(async () => {
      const sums = await this.sums(budgetId)
      check(sums)
      return sums
    }, timeoutMs)
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.stop()))
    await this.plane.stop()
    await this.upstream.close()
    rmSync(this.folder, { recursive: true, force: true })
    rmSync(this.#planeEnv.SIGNALBOX_DATA_DIR ?? '', { recursive: true, force: true })
  }
}
