import { ApiError, type Client, createClient } from '@signalbox/sdk'
import { session } from './session.ts'

/** A client with the tab's token, or with one that is being tried. */
export function api(token: string | null = session.token): Client {
  return createClient({ url: location.origin, ...(token === null ? { token: undefined } : { token }) })
}

/** What to tell a person of a failed request. */
export function explainError(error: unknown): string {
  if (error instanceof ApiError) {
    return error.status === 0 ? 'The control plane cannot be reached. Is it running?' : error.message
  }
  return error instanceof Error ? error.message : String(error)
}
