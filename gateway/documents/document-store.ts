import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fits } from '@signalbox/sdk/node'
import { type Static, Type } from 'typebox'
import { loadIfThere, storeDurably } from './durable-file.ts'

/** Who this gateway is, as the control plane said at the last hello. */
export const Identity = Type.Object({
  gatewayId: Type.String({ minLength: 1, maxLength: 64 }),
  organisationId: Type.String({ minLength: 1, maxLength: 64 }),
  environment: Type.String({ minLength: 1, maxLength: 64 }),
})
export type Identity = Static<typeof Identity>
const Confirmation = Type.Object({ confirmedMs: Type.Number({ minimum: 0 }) })

export type StoredKind = 'release' | 'state' | 'credentials'
const rootPattern = /^root-(\d+)\.json$/

/** The documents in use, on the disk: the bytes as they were received, so that signatures can be checked again. */
export class DocumentStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async load(kind: StoredKind): Promise<string | undefined> {
    return (await loadIfThere(join(this.#folder, `${kind}.json`)))?.toString('utf8')
  }

  async store(kind: StoredKind, text: string): Promise<void> {
    await storeDurably(join(this.#folder, `${kind}.json`), text)
  }

  /** Every root document that followed the pinned one, lowest sequence first. */
  async loadRoots(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const sequences = names.flatMap((name) => rootPattern.exec(name)?.[1] ?? []).map(Number)
    const texts: string[] = []
    for (const sequence of sequences.sort((a, b) => a - b)) {
      const bytes = await loadIfThere(join(this.#folder, `root-${sequence}.json`))
      if (bytes !== undefined) texts.push(bytes.toString('utf8'))
    }
    return texts
  }

  async storeRoot(sequence: number, text: string): Promise<void> {
    await storeDurably(join(this.#folder, `root-${sequence}.json`), text)
  }

  async loadIdentity(): Promise<Identity | undefined> {
    return await this.#loadJson('identity.json', (value) => fits(Identity, value) && value)
  }

  async storeIdentity({ gatewayId, organisationId, environment }: Identity): Promise<void> {
    const text = JSON.stringify({ gatewayId, organisationId, environment })
    await storeDurably(join(this.#folder, 'identity.json'), text)
  }

  /** When the control plane last said that the state in use is the newest one; epoch milliseconds. */
  async loadConfirmedMs(): Promise<number | undefined> {
    return await this.#loadJson(
      'confirmed.json',
      (value) => fits(Confirmation, value) && { at: value.confirmedMs },
    ).then((found) => found?.at)
  }

  async storeConfirmedMs(confirmedMs: number): Promise<void> {
    await storeDurably(join(this.#folder, 'confirmed.json'), JSON.stringify({ confirmedMs }))
  }

  /** A damaged file is as good as none: all of them can be had again from the control plane. */
  async #loadJson<T>(name: string, read: (value: unknown) => T | false): Promise<T | undefined> {
    const bytes = await loadIfThere(join(this.#folder, name))
    if (bytes === undefined) return undefined
    try {
      const found = read(JSON.parse(bytes.toString('utf8')))
      return found === false ? undefined : found
    } catch {
      return undefined
    }
  }
}
