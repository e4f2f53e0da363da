import type { Facts } from '@signalbox/sdk/contract'
import type { ModelColumns } from '../program.ts'

type Members = Readonly<Record<string, unknown>>
type Projection = (value: unknown) => unknown
interface Tree {
  [name: string]: Tree | true
}

/** `request.stream`, `request.metadata.tier` → a tree; a path that is read as a whole swallows those below it. */
function treeOf(paths: readonly string[]): Tree {
  const root: Tree = {}
  for (const path of paths) {
    const parts = path.split('.')
    const last = parts.pop() ?? ''
    let tree: Tree | true = root
    for (const part of parts) {
      if (tree === true) break
      tree = tree[part] ??= {}
    }
    if (tree !== true) tree[last] = true
  }
  return root
}

function projectionOf(tree: Tree): Projection {
  const members = Object.entries(tree).map(
    ([name, inner]) => [name, inner === true ? undefined : projectionOf(inner)] as const,
  )
  return (value) => {
    if (typeof value !== 'object' || value === null) return value
    const projected: Record<string, unknown> = {}
    for (const [name, inner] of members) {
      if (!Object.hasOwn(value, name)) continue
      const member = (value as Members)[name]
      projected[name] = inner === undefined ? member : inner(member)
    }
    return projected
  }
}

/** Candidate models with all their columns. Columns that are missing cost a policy its rows, never the call. */
function joinModels(facts: Facts, models: readonly ModelColumns[]): unknown[] {
  return facts.models.map((fact, index) => ({ ...models[index], ...fact }))
}

/** Who reads a detector is told whether it failed: the sandbox makes reading a failed one an error. */
function withErrors(reads: readonly string[]): readonly string[] {
  const readsDetectors = reads.some((path) => path.startsWith('data.detectors'))
  return readsDetectors ? [...reads, 'data.detectorErrors'] : reads
}

/**
 * Makes the function that cuts facts down to what the policies of a workspace read, as JSON for the sandbox. What it
 * costs depends on what is read, not on how much there is. `*` reads all.
 */
export function compileProjection(
  reads: readonly string[],
): (facts: Facts, models: readonly ModelColumns[]) => string {
  if (reads.includes('*')) {
    return (facts, models) => JSON.stringify({ ...facts, models: joinModels(facts, models) })
  }
  const { models: readsModels, ...tree } = treeOf(withErrors(reads))
  const project = projectionOf(tree)
  if (readsModels === undefined) return (facts) => JSON.stringify(project(facts))
  return (facts, models) =>
    JSON.stringify({ ...(project(facts) as Members), models: joinModels(facts, models) })
}
