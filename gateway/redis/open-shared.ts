import type { Logger } from '@signalbox/sdk/node'
import { AnswerCache } from '../cache/answer-cache.ts'
import { Limits } from '../limits/limits.ts'
import { SharedSlots } from '../limits/shared-slots.ts'
import { SharedWindows } from '../limits/shared-window.ts'
import type { SharedOwners } from '../stored-ids.ts'
import { GatewayCount } from './gateway-count.ts'
import { RedisLink } from './redis-link.ts'
import { RedisOwners } from './shared-owners.ts'

export interface SharedOptions {
  /** Undefined: there is no shared store, and all stays in this gateway's memory. */
  readonly url: string | undefined
  readonly cacheBytesMax: number
  /** Organisation and environment. */
  readonly prefix: () => string
  readonly incarnation: string
  readonly clock: () => number
  readonly createId: () => string
  readonly log: Logger
  readonly commandTimeoutMs?: number
}
/** What gateways can share: limits and answers. */
export interface OpenShared {
  readonly limits: Limits
  readonly answers: AnswerCache
  readonly sharedStore: RedisLink | undefined
  /** Who owns what providers keep; undefined where that is shared in another way. */
  readonly owners: SharedOwners | undefined
  close(): Promise<void>
}

/** Opens limits and cache, in memory alone or over Redis or Valkey. */
export function openShared({ url, cacheBytesMax: bytesMax, ...options }: SharedOptions): OpenShared {
  const { clock, createId, incarnation } = options
  if (url === undefined) {
    const answers = new AnswerCache({ clock, bytesMax })
    return {
      limits: new Limits({ clock }),
      answers,
      sharedStore: undefined,
      owners: undefined,
      close: () => Promise.resolve(),
    }
  }
  const link = new RedisLink({ ...options, url })
  const count = new GatewayCount(link, incarnation)
  count.start()
  const gateways = (): number => count.get()
  const slots = new SharedSlots(link, { createId, gateways })
  const windows = new SharedWindows(link, gateways)
  return {
    limits: new Limits({ clock, shared: { windows, slots } }),
    answers: new AnswerCache({ clock, bytesMax, link }),
    sharedStore: link,
    owners: new RedisOwners(link),
    async close() {
      slots.close()
      await count.stop()
      link.close()
    },
  }
}
