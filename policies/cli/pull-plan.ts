import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A workspace's files by path. */
export type Files = ReadonlyMap<string, string>
/** What a pull does to a file. `text` null: it goes. */
export interface PullStep {
  readonly path: string
  readonly does: 'write' | 'merge' | 'remove'
  readonly text: string | null
}
export interface PullPlan {
  readonly steps: readonly PullStep[]
  /** Files that were changed here and there, in the same place. */
  readonly conflicts: readonly string[]
  /** Files that are only here; they stay. */
  readonly onlyHere: readonly string[]
}

/** Three texts in one, by Git; undefined where both changed the same lines, or there is no Git. */
export function mergeTexts(here: string, base: string, there: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-merge-'))
  try {
    const paths = Object.entries({ here, base, there }).map(([name, text]) => {
      const path = join(folder, name)
      writeFileSync(path, text)
      return path
    })
    return execFileSync('git', ['merge-file', '-p', '-q', ...paths], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What to do so that a folder holds what is deployed, and loses nothing that was changed in it: a file is replaced only
 * where it is as it was in the base, or as Git has it. `isCommitted`: Git has this very text of the file.
 */
export function planPull(
  here: Files,
  there: Files,
  { base, isCommitted }: { readonly base: Files; readonly isCommitted: (path: string) => boolean },
): PullPlan {
  const steps: PullStep[] = []
  const conflicts: string[] = []
  for (const [path, text] of there) {
    const own = here.get(path)
    const before = base.get(path)
    if (own === text) continue
    const isGone = own === undefined && before !== undefined
    if (own === before || (own === undefined && !isGone) || (own !== undefined && isCommitted(path))) {
      // What Git has may have gone on since the base: both changes are kept where they go together.
      const isOlder = own === undefined || before === undefined || own === before
      const merged = isOlder ? text : mergeTexts(own, before, text)
      if (merged === undefined) conflicts.push(path)
      else if (merged !== own) steps.push({ path, does: merged === text ? 'write' : 'merge', text: merged })
      continue
    }
    if (isGone && before === text) continue
    const merged = own === undefined || before === undefined ? undefined : mergeTexts(own, before, text)
    if (merged === undefined) conflicts.push(path)
    else if (merged !== own) steps.push({ path, does: 'merge', text: merged })
  }
  const onlyHere: string[] = []
  for (const [path, own] of here) {
    if (there.has(path)) continue
    if (base.get(path) === own) steps.push({ path, does: 'remove', text: null })
    else onlyHere.push(path)
  }
  return { steps, conflicts, onlyHere }
}
