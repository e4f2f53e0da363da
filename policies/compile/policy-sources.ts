import type { SourceFiles } from './built-version.ts'
import { ModuleGraph } from './module-graph.ts'
import { ProblemList } from './problem-list.ts'

/** The files that each of these files is made of: itself and all that it imports. */
export function sourcesOf(
  files: SourceFiles,
  roots: readonly string[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new ModuleGraph(files, new ProblemList())
  return new Map(
    roots.map((root) => {
      const seen = new Set([root])
      for (const each of seen) {
        const scope = /\.(ts|js)$/.test(each) ? graph.scope(each) : undefined
        for (const imported of scope === undefined ? [] : graph.importsOf(scope)) seen.add(imported)
      }
      return [root, seen]
    }),
  )
}
