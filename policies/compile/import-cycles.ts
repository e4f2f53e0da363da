import type { AnyNode } from 'acorn'
import type { CompiledModule } from './condition.ts'
import { valuesIn } from './fact-reads.ts'
import type { ModuleGraph } from './module-graph.ts'
import type { ProblemList } from './problem-list.ts'
import { isFunction, type TsScope } from './ts-scope.ts'

type Modules = ReadonlyMap<string, CompiledModule>

function reachableFrom(file: string, modules: Modules): ReadonlySet<string> {
  const seen = new Set(modules.get(file)?.imports ?? [])
  for (const each of seen) for (const imported of modules.get(each)?.imports ?? []) seen.add(imported)
  return seen
}

/** Names that are read while a file is loaded: outside of functions. */
function readAtLoad(node: AnyNode, found: AnyNode[] = []): AnyNode[] {
  if (node.type === 'Identifier') found.push(node)
  if (isFunction(node) || node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration')
    return found
  if (node.type === 'ExportNamedDeclaration') {
    return node.declaration ? readAtLoad(node.declaration, found) : found
  }
  for (const child of valuesIn(node)) readAtLoad(child, found)
  return found
}

function reportFile(
  scope: TsScope,
  circle: ReadonlySet<string>,
  graph: ModuleGraph,
  problems: ProblemList,
): void {
  const { source, imports } = scope
  for (const node of readAtLoad(source.program)) {
    const imported = node.type === 'Identifier' ? imports.get(node.name) : undefined
    const file = imported === undefined ? undefined : graph.resolve(source.file, imported.from)
    if (file === undefined || !circle.has(file)) continue
    const message = `"${source.text.slice(node.start, node.end)}" may not be there yet: this file and ${file} import each other; use it inside a function, or move it to a file of its own`
    problems.add(source.file, source.at(node), { code: 'import_cycle', message })
  }
}

/**
 * Reports files that import each other and need each other while they load: which one comes first would decide what
 * they see. Circles in which only functions call each other are fine.
 */
export function reportImportCycles(modules: Modules, graph: ModuleGraph, problems: ProblemList): void {
  const reachable = new Map([...modules.keys()].map((file) => [file, reachableFrom(file, modules)]))
  for (const [file, others] of reachable) {
    if (!others.has(file)) continue
    const circle = new Set([...others].filter((other) => reachable.get(other)?.has(file)))
    const scope = graph.scope(file)
    if (scope !== undefined) reportFile(scope, circle, graph, problems)
  }
}
