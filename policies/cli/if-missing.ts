import { ApiError } from '@signalbox/sdk'

/** Makes something; where it exists already and that is fine, finds it instead. */
export async function createOrFind<Created, Found>(
  create: () => Promise<Created>,
  find: (() => Promise<Found | undefined>) | undefined,
): Promise<Created | Found> {
  try {
    return await create()
  } catch (error) {
    if (find === undefined || !(error instanceof ApiError) || error.code !== 'already_exists') throw error
    const found = await find()
    if (found === undefined) throw error
    return found
  }
}
