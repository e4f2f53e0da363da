import type { AnyNode, Expression, ImportDeclaration } from 'acorn'
import { namesInPattern, type TsSource, walk } from './ts-source.ts'

export const apiModule = '@signalbox/policies'

export type FunctionNode = Extract<
  AnyNode,
  { type: 'ArrowFunctionExpression' | 'FunctionExpression' | 'FunctionDeclaration' }
>
export function isFunction(node: AnyNode | null | undefined): node is FunctionNode {
  return (
    node?.type === 'ArrowFunctionExpression' ||
    node?.type === 'FunctionExpression' ||
    node?.type === 'FunctionDeclaration'
  )
}

/** A name that comes from another file; `*` for all of it. */
export interface Imported {
  readonly from: string
  readonly name: string
}

/** What the names of a file mean. Only names that are declared once in the whole file are told of. */
export interface TsScope {
  readonly source: TsSource
  readonly imports: ReadonlyMap<string, Imported>
  /** Functions and constants at the top of the file. */
  readonly functions: ReadonlyMap<string, FunctionNode>
  readonly constants: ReadonlyMap<string, Expression>
  /** Exported name → its name in the file. */
  readonly exports: ReadonlyMap<string, string>
  /** Exported name → what another file exports. */
  readonly reexports: ReadonlyMap<string, Imported>
  readonly defaultExport: AnyNode | undefined
}

/** How often each name is declared anywhere in the file. */
function countDeclarations(source: TsSource): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const add = (pattern: AnyNode | null | undefined) => {
    for (const name of pattern ? namesInPattern(pattern) : []) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  walk(source.program, (node) => {
    if (node.type === 'VariableDeclarator') add(node.id)
    else if (node.type === 'CatchClause') add(node.param)
    else if (node.type.startsWith('Import') && 'local' in node) add(node.local)
    else if (node.type === 'ClassDeclaration') add(node.id)
    if (isFunction(node)) {
      add(node.id)
      for (const param of node.params) add(param)
    }
    return true
  })
  return counts
}

function importedName(specifier: ImportDeclaration['specifiers'][number]): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  const { imported } = specifier
  return imported.type === 'Identifier' ? imported.name : String(imported.value)
}

/** Reads what the names of a file mean, without running it. */
export function readScope(source: TsSource): TsScope {
  const counts = countDeclarations(source)
  const once = (name: string) => counts.get(name) === 1
  const imports = new Map<string, Imported>()
  const functions = new Map<string, FunctionNode>()
  const constants = new Map<string, Expression>()
  const exports = new Map<string, string>()
  const reexports = new Map<string, Imported>()
  let defaultExport: AnyNode | undefined

  const declare = (node: AnyNode | null | undefined, isExported: boolean) => {
    if (node?.type === 'FunctionDeclaration' && node.id !== null) {
      if (once(node.id.name)) functions.set(node.id.name, node)
      if (isExported) exports.set(node.id.name, node.id.name)
    }
    if (node?.type !== 'VariableDeclaration') return
    for (const { id, init } of node.declarations) {
      if (isExported) for (const name of namesInPattern(id)) exports.set(name, name)
      if (node.kind !== 'const' || id.type !== 'Identifier' || !init || !once(id.name)) continue
      if (isFunction(init)) functions.set(id.name, init)
      else constants.set(id.name, init)
    }
  }
  for (const node of source.program.body) {
    if (node.type === 'ImportDeclaration') {
      for (const specifier of node.specifiers) {
        const { name } = specifier.local
        if (once(name)) imports.set(name, { from: String(node.source.value), name: importedName(specifier) })
      }
    } else if (node.type === 'ExportDefaultDeclaration') defaultExport = node
    else if (node.type === 'ExportNamedDeclaration') {
      declare(node.declaration, true)
      for (const { local, exported } of node.specifiers) {
        if (local.type !== 'Identifier' || exported.type !== 'Identifier') continue
        if (exported.name === 'default') defaultExport = node
        if (!node.source) exports.set(exported.name, local.name)
        else reexports.set(exported.name, { from: String(node.source.value), name: local.name })
      }
    } else declare(node, false)
  }
  return { source, imports, functions, constants, exports, reexports, defaultExport }
}

/** The name in the authoring API that an expression stands for: `rule`, `param.int`. */
export function apiName(node: AnyNode, scope: TsScope): string | undefined {
  if (node.type === 'Identifier') {
    const imported = scope.imports.get(node.name)
    return imported?.from === apiModule && imported.name !== '*' ? imported.name : undefined
  }
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier')
    return undefined
  const { object, property } = node
  if (object.type === 'Identifier') {
    const imported = scope.imports.get(object.name)
    if (imported?.from === apiModule && imported.name === '*') return property.name
  }
  const inner = apiName(object, scope)
  return inner === undefined ? undefined : `${inner}.${property.name}`
}
