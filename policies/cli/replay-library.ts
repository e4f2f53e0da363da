import type { ReplayLibrary } from '@signalbox/policies'
import { ApiError, type Client } from '@signalbox/sdk'
import type { Catalogue, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'

/** What is not there (any more) is undefined; every other failure stays one. */
async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not_found') return undefined
    throw error
  }
}

/** Releases, versions and catalogues of the past, from the control plane. */
export function clientLibrary(client: Client): ReplayLibrary {
  // The documents of the client are those of the contract; their types are written out twice.
  return {
    release: async (reference) =>
      (await unlessAbsent(client.getRelease(reference))) as ReleaseContext | undefined,
    build: async (digest) =>
      (await unlessAbsent(client.getBuild({ version: digest }))) as VersionBuild | undefined,
    catalogue: async (digest) =>
      (await unlessAbsent(client.getCatalogueOf({ digest }))) as Catalogue | undefined,
  }
}
