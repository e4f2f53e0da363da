import type { Logger } from '@signalbox/sdk/node'
import type { Documents } from '../documents/documents.ts'
import { type OpenShared, openShared } from './open-shared.ts'

interface Settings {
  readonly redisUrl?: string
  readonly cacheBytesMax: number
}

/** Opens them as the settings say; what they keep is apart for each organisation and environment. */
export function openSharedStore(
  { config, log }: { readonly config: Settings; readonly log: Logger },
  documents: Pick<Documents, 'identity'>,
  rest: { readonly incarnation: string; readonly createId: () => string; readonly clock: () => number },
): OpenShared {
  const prefix = (): string => {
    const { organisationId = '', environment = '' } = documents.identity ?? {}
    return `${organisationId}:${environment}`
  }
  return openShared({ url: config.redisUrl, cacheBytesMax: config.cacheBytesMax, prefix, log, ...rest })
}
