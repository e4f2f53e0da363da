import type { Catalogue, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'
import type { ReleaseReference } from '../replay/deciders.ts'
import type { BacktestVersions } from './backtester.ts'
import type { Tally } from './tally.ts'

/** Something of the past that a thread needs and only its starter can read. */
export type Wanted =
  | { readonly kind: 'release'; readonly reference: ReleaseReference }
  | { readonly kind: 'build' | 'catalogue'; readonly digest: string }
export type Found = ReleaseContext | VersionBuild | Catalogue | undefined

/** What a thread is started with. */
export interface BacktestStart {
  readonly versions: BacktestVersions
  /** Records come from a file and are checked. */
  readonly check: boolean
}
/** What a thread is told. */
export type ToThread =
  | { readonly batch: Uint8Array }
  | { readonly answer: number; readonly found: Found }
  | { readonly answer: number; readonly failed: string }
  | { readonly end: true }
/** What a thread says. */
export type FromThread =
  | { readonly done: number; readonly different: number }
  | { readonly question: number; readonly wanted: Wanted }
  | { readonly tally: Tally }
  | { readonly failed: string }
