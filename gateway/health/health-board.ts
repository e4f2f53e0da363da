import type { TargetSight } from '@signalbox/sdk/contract'
import type { Target } from '../targets.ts'
import type { Breaker, BreakerRules } from './breaker.ts'
import type { ToldLimits } from './quota.ts'
import { ConnectionHealth, type Outcome, TargetHealth } from './target-health.ts'

/** Callers can name any number of models; beyond this the oldest idle one of a connection is forgotten. */
const targetsMax = 1024
const connectionsMax = 4096

interface Known {
  /** A connection that goes elsewhere is another one. */
  readonly baseUrl: string | undefined
  readonly health: ConnectionHealth
  readonly targets: Map<string, TargetHealth>
}
export interface HealthBoardOptions {
  readonly clock: () => number
  readonly rules?: BreakerRules
  /** Called when a breaker opens, with the target that made it open. */
  readonly onOpen?: (target: Target) => void
  /** Called when a target is in trouble that was not. */
  readonly onTrouble?: () => void
}

/** What this gateway has seen of all targets. State of one gateway, in memory. */
export class HealthBoard {
  /** Counts up whenever what policies can read of a target may have changed. */
  get version(): number {
    if (this.#quotas.size > 0 && this.#options.clock() >= this.#quotasEndMs) this.#expireQuotas()
    return this.#version
  }
  /** Breakers that were opened so far. */
  opened = 0
  readonly #options: HealthBoardOptions
  readonly #connections = new Map<string, Known>()
  /** Targets that something is to be gone by of: open, coming back, or rate limited. */
  readonly #troubled = new Set<TargetHealth>()
  /** Targets whose providers say what is left of their limits, and when the first of those is whole again. */
  readonly #quotas = new Set<TargetHealth>()
  #quotasEndMs = Number.POSITIVE_INFINITY
  #version = 0

  constructor(options: HealthBoardOptions) {
    this.#options = options
  }

  /** Every target is well, as far as is known: nothing has to be looked at. */
  get isCalm(): boolean {
    return this.#troubled.size === 0
  }

  /** Targets that are kept from calls now, and those that are coming back. */
  get troubled(): ReadonlySet<TargetHealth> {
    return this.#troubled
  }

  of(target: Target): TargetHealth {
    const { model } = target
    const known = this.#knownOf(target)
    let health = known.targets.get(model)
    if (health === undefined) {
      if (known.targets.size >= targetsMax) this.#forgetOne(known.targets)
      health = new TargetHealth(target, known.health, this.#options.rules)
      known.targets.set(model, health)
      // Where nothing listens, nothing listens for a new model either.
      if (known.health.breaker.state !== 'closed') this.#troubled.add(health)
    }
    return health
  }

  /** How a target looks to policies and selections; undefined for one of which nothing is known. */
  sightOf(target: Target): TargetSight {
    const { connection, name } = target
    if (connection.status === 'unavailable') {
      const reason = `unavailable: ${connection.missing ?? 'credential'} is missing`.slice(0, 128)
      return { target: name, state: 'unavailable', reason }
    }
    if (connection.status === 'simulated') return { target: name, state: 'up' }
    return this.of(target).sight(name, this.#options.clock())
  }

  note(health: TargetHealth, outcome: Outcome): void {
    const nowMs = this.#options.clock()
    const { errorPpm } = health
    const states = [health.breaker.state, health.connection.breaker.state]
    health.note(outcome, nowMs)
    const isPlain = health.isPlain
    if (isPlain && errorPpm === health.errorPpm && !this.#troubled.has(health)) return
    this.#refresh(health, states)
  }

  /** Takes in what an answer to a key says is left of the provider's limits. */
  noteQuota(health: TargetHealth, told: ToldLimits): void {
    if (health.quota.note(told, this.#options.clock())) this.#version++
    this.#quotas.add(health)
    this.#quotasEndMs = Math.min(this.#quotasEndMs, health.quota.endsAtMs)
  }

  /** For who looks after breakers: what changed them besides `note`. */
  refresh(breakers: readonly Breaker[]): void {
    this.#version++
    for (const health of this.#troubled) {
      if (health.isPlain && health.state(this.#options.clock()) === 'up') this.#troubled.delete(health)
    }
    // A connection that came back, or went, did so for all of its models.
    for (const { health, targets } of this.#connections.values()) {
      if (!breakers.includes(health.breaker) || health.breaker.state === 'closed') continue
      for (const each of targets.values()) this.#troubled.add(each)
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#connections.clear()
    this.#troubled.clear()
    this.#quotas.clear()
    this.#quotasEndMs = Number.POSITIVE_INFINITY
    this.#version++
  }

  #refresh(health: TargetHealth, [before, connectionBefore]: readonly string[]): void {
    if (health.isPlain) this.#troubled.delete(health)
    else {
      this.#troubled.add(health)
      this.#options.onTrouble?.()
    }
    const { breaker, connection } = health
    const isConnectionChanged = connection.breaker.state !== connectionBefore
    this.#version++
    if (isConnectionChanged) this.refresh([connection.breaker])
    const hasOpened =
      (before !== 'open' && breaker.state === 'open') ||
      (isConnectionChanged && connection.breaker.state === 'open')
    if (!hasOpened) return
    this.opened++
    this.#options.onOpen?.(health.target)
  }

  #expireQuotas(): void {
    const nowMs = this.#options.clock()
    this.#quotasEndMs = Number.POSITIVE_INFINITY
    for (const health of this.#quotas) {
      health.quota.expire(nowMs)
      const { endsAtMs } = health.quota
      if (endsAtMs === Number.POSITIVE_INFINITY) this.#quotas.delete(health)
      this.#quotasEndMs = Math.min(this.#quotasEndMs, endsAtMs)
    }
    this.#version++
  }

  #knownOf({ connection }: Target): Known {
    const known = this.#connections.get(connection.name)
    if (known !== undefined && known.baseUrl === connection.baseUrl) return known
    if (known !== undefined) for (const health of known.targets.values()) this.#forget(health)
    if (this.#connections.size >= connectionsMax) this.clear()
    const created = {
      baseUrl: connection.baseUrl,
      health: new ConnectionHealth(this.#options.rules),
      targets: new Map<string, TargetHealth>(),
    }
    this.#connections.set(connection.name, created)
    return created
  }

  #forget(health: TargetHealth): void {
    this.#troubled.delete(health)
    this.#quotas.delete(health)
  }

  #forgetOne(targets: Map<string, TargetHealth>): void {
    const idle = [...targets].find(([, health]) => health.running === 0 && !this.#troubled.has(health))
    const [model, health] = idle ?? [...targets][0] ?? []
    if (model === undefined || health === undefined) return
    targets.delete(model)
    this.#forget(health)
  }
}
