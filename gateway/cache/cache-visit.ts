import type { Incoming } from '../incoming.ts'
import type { GatewayParts } from '../parts.ts'
import type { Provider } from '../provider.ts'
import type { Trail } from '../trail.ts'
import type { AllowedCall } from '../way.ts'
import type { CacheWish } from './cache-wish.ts'
import type { SimilarAnswers } from './similar-answers.ts'

/** A call at the cache. */
export interface CacheVisit {
  readonly allowed: AllowedCall
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
  readonly wish: CacheWish
  readonly key: string
  readonly reader: Provider | undefined
  /** Undefined where only the same question will do. */
  readonly similar: SimilarAnswers | undefined
}
