import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type RunningPostgres, startPostgres } from '../../../control-plane/postgres/start.ts'
import { promptFor } from '../../support/billing-upstream.ts'
import { MoneyWorld } from '../../support/money-world.ts'
import type { Program } from '../../support/programs.ts'
import { RedisServer } from '../../support/redis-server.ts'

/** Programs that were asked to end have ended by then: calls are over, and a drain waits for nothing. */
const endMsMax = 30_000

/** What a call asks for beside its answer: each goes through another part that a store has to do with. */
export const callKinds = ['free', 'stream', 'budgeted', 'limited', 'cached'] as const
export type CallKind = (typeof callKinds)[number]

/** One call, and what became of it. */
export interface CallNote {
  readonly kind: CallKind
  readonly phase: string
  readonly status: number
  readonly code: string | undefined
  /** Its answer came to its end. */
  readonly isWhole: boolean
  readonly ms: number
  readonly id: string | undefined
}

/** PostgreSQL, Redis, a control plane and two gateways as processes, and calls that never stop. */
export class StoresRig {
  readonly world: MoneyWorld
  readonly redis: RedisServer
  readonly notes: CallNote[] = []
  /** Statuses of what an administrator asked in the meantime, by phase. */
  readonly asked: { readonly phase: string; readonly status: number }[] = []
  readonly budgetId: string
  phase = 'before'
  readonly #folder: string
  readonly #keys: Readonly<Record<CallKind, string>>
  #postgres: RunningPostgres
  #number = 0
  #isOver = false
  readonly #running = new Set<Promise<void>>()

  private constructor(parts: {
    readonly world: MoneyWorld
    readonly redis: RedisServer
    readonly postgres: RunningPostgres
    readonly folder: string
    readonly keys: Readonly<Record<CallKind, string>>
    readonly budgetId: string
  }) {
    this.world = parts.world
    this.redis = parts.redis
    this.budgetId = parts.budgetId
    this.#postgres = parts.postgres
    this.#folder = parts.folder
    this.#keys = parts.keys
  }

  static async open(): Promise<StoresRig> {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-stores-'))
    const postgres = await startPostgres(join(folder, 'postgres'))
    const redis = await RedisServer.start()
    const world = await MoneyWorld.start({
      gateways: 2,
      planeEnv: { DATABASE_URL: postgres.url },
      gatewayEnv: () => ({ REDIS_URL: redis.url }),
    })
    const { client } = world
    const limit = 10n ** 12n
    const { budget, keys } = await world.team('budgeted', { limit, keys: { ci: undefined } })
    for (const name of ['free', 'limited']) await client.createTeam({ name })
    const keyOf = async (team: string): Promise<string> => (await client.createKey({ team, name: 'ci' })).key
    const free = await keyOf('free')
    const limited = await keyOf('limited')
    const shape = { team: 'limited', mode: 'hard' } as const
    await client.setLimit({ ...shape, unit: 'requests', window: 'minute', limit: 1_000_000 })
    await client.setLimit({ ...shape, unit: 'concurrency', limit: 1000 })
    const budgeted = keys[0]?.key ?? ''
    const all = { free, stream: free, cached: free, budgeted, limited }
    return new StoresRig({ world, redis, postgres, folder, keys: all, budgetId: budget.id })
  }

  /** Calls at a fixed rate, whatever becomes of them, and an administrator who looks twice a second. */
  start(callsPerS: number): void {
    const loop = async (everyMs: number, act: (number: number) => Promise<void>): Promise<void> => {
      const startMs = performance.now()
      for (let number = 0; !this.#isOver; number++) {
        const running = act(number).finally(() => this.#running.delete(running))
        this.#running.add(running)
        await wait(Math.max(0, startMs + (number + 1) * everyMs - performance.now()))
      }
    }
    for (const started of [
      loop(1000 / callsPerS, (number) => this.#call(number)),
      loop(500, () => this.#look()),
    ]) {
      const kept: Promise<void> = started.finally(() => this.#running.delete(kept))
      this.#running.add(kept)
    }
  }

  async #call(number: number): Promise<void> {
    const kind = callKinds[number % callKinds.length] ?? 'free'
    const { phase } = this
    const isStream = kind === 'stream'
    const name = kind === 'cached' ? `cached-${number % 50}` : `${kind}-${++this.#number}`
    const startMs = performance.now()
    const init = {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#keys[kind]}`,
        'content-type': 'application/json',
        ...(kind === 'cached' && { 'x-signalbox-cache': 'ttl=5' }),
      },
      body: JSON.stringify({
        ...{ model: 'bank/plain', max_tokens: 64, stream: isStream },
        messages: [{ role: 'user', content: promptFor(name, { tokens: 40, paceMs: isStream ? 100 : 0 }) }],
      }),
      signal: AbortSignal.timeout(30_000),
    }
    let note = {
      status: 0,
      code: undefined as string | undefined,
      isWhole: false,
      id: undefined as string | undefined,
    }
    try {
      // Turns within a kind, so that each kind goes through both.
      const gateway = this.world.gateways[Math.floor(number / callKinds.length) % 2]
      const response = await fetch(`${gateway?.url}/v1/chat/completions`, init)
      const text = await response.text()
      note = {
        status: response.status,
        code: response.ok ? undefined : String(JSON.parse(text).error?.code),
        isWhole: response.ok && (!isStream || text.includes('[DONE]')),
        id: response.headers.get('x-signalbox-decision') ?? undefined,
      }
    } catch {
      // A call without an answer has status 0.
    }
    this.notes.push({ kind, phase, ms: performance.now() - startMs, ...note })
  }

  async #look(): Promise<void> {
    const { phase } = this
    const { plane } = this.world
    const status = await fetch(`${plane.url}/v1/status`, {
      headers: { authorization: `Bearer ${plane.token}` },
      signal: AbortSignal.timeout(15_000),
    }).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      () => 0,
    )
    this.asked.push({ phase, status })
  }

  async stopPostgres(): Promise<void> {
    await this.#postgres.stop()
  }
  async startPostgres(): Promise<void> {
    this.#postgres = await startPostgres(join(this.#folder, 'postgres'))
  }

  /** A number of a gateway's `/metrics`. */
  async metric(gateway: number, name: string): Promise<number | undefined> {
    const text = await (await fetch(`${this.world.gateways[gateway]?.url}/metrics`)).text()
    const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }

  async readyz(url: string): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const response = await fetch(`${url}/readyz`)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  /** Ends the load, and waits for its last answers. */
  async finish(): Promise<void> {
    this.#isOver = true
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Stops everything; gives the names of programs that did not end in time, with what they said last. */
  async close(): Promise<string[]> {
    this.#isOver = true
    const late: string[] = []
    const { gateways, plane } = this.world
    const programs = [...gateways.map((each, number) => [`gateway ${number}`, each] as const)]
    const end = async (name: string, program: Program): Promise<void> => {
      const ended = await Promise.race([program.stop(), wait(endMsMax, 'late' as const)])
      if (ended !== 'late') return
      late.push(`${name}: ${program.output().slice(-2000)}`)
      await program.stop('SIGKILL')
    }
    await Promise.all(programs.map(([name, program]) => end(name, program)))
    await end('control plane', plane)
    await this.world.stop()
    await this.redis.stop()
    await this.#postgres.stop()
    rmSync(this.#folder, { recursive: true, force: true })
    return late
  }
}
