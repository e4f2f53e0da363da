import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fits } from '@signalbox/sdk/node'
import { Type } from 'typebox'

/** What a local start remembers beside the database: secrets that are shown once, and what it deployed from where. */
const LocalState = Type.Object({
  organisationId: Type.String(),
  demoKey: Type.Optional(Type.String()),
  gatewayToken: Type.Optional(Type.String()),
  trustRoot: Type.Optional(Type.String()),
  /** `environment folder` → digest that was deployed from there last. */
  deployed: Type.Record(Type.String(), Type.String()),
})

export interface LocalState {
  organisationId: string
  demoKey?: string
  gatewayToken?: string
  trustRoot?: string
  deployed: Record<string, string>
}

/** Loads the state of a data folder; a folder that belonged to another organisation starts anew. */
export function loadLocalState(dataDir: string, organisationId: string): LocalState {
  try {
    const state: unknown = JSON.parse(readFileSync(join(dataDir, 'local.json'), 'utf8'))
    if (fits(LocalState, state) && state.organisationId === organisationId) return state
  } catch {
    // The first start, or a file that was cut: everything in it can be made again.
  }
  return { organisationId, deployed: {} }
}

/** Stores it readable by the owner alone. */
export function storeLocalState(dataDir: string, state: LocalState): void {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'local.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
}
