import type { DocumentKind } from '@signalbox/sdk/contract'

/** A document of an environment that gateways are to take into use. */
export interface Publication {
  readonly organisationId: string
  readonly environment: string
  readonly kind: DocumentKind
  /** For `credentials`: the sequence that every gateway of the environment gets or has passed. */
  readonly sequence: number
}

/**
 * Makes documents of what the database holds. Each method is called after the change is committed, reads the database
 * itself, and makes no new document where the content is the same as the newest one's; so it may be called again at
 * any time, and is called for every environment at start (a crash between commit and publication heals there).
 */
export interface StateWriter {
  /** Tree, keys, limits, params: the `state` of one environment. */
  publishState(organisationId: string, environment: string): Promise<Publication>
  /** Seals the environment's secrets to each of its gateways. */
  publishCredentials(organisationId: string, environment: string): Promise<Publication>
  /**
   * Waits until every connected gateway of the environment acknowledged the publication, or a later one, or rejected
   * it. Gives those that did not in `timeoutMs`, as `gateway <id>`; empty where all did.
   */
  awaitAcks(
    publication: Publication,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<string[]>
}

/** How long an administrative write waits for the gateways before it says who is pending. */
export const acknowledgementTimeoutMs = 2000
