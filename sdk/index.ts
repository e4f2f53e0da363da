import { Client } from './client.generated.ts'
import { Http, type HttpOptions } from './http.ts'

export * from './chat.ts'
export * from './client.generated.ts'
export type { DirectProviders, DirectStorage } from './direct.ts'
export { ApiError, type CallOptions, type HttpOptions, type ProblemDetail } from './http.ts'

/** A client of the control plane. `url`: its origin; `token`: `sbt_…` or `sbr_…`. */
export function createClient(options: HttpOptions): Client {
  return new Client(new Http(options))
}
