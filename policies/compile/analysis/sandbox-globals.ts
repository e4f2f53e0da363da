import type { AnyNode } from 'acorn'
import type { TsScope } from '../ts-scope.ts'
import { isFunction } from '../ts-scope.ts'
import { childrenOf, namesInPattern, walk } from '../ts-source.ts'
import type { PlacedFinding } from './analysed-workspace.ts'

const fromFacts = 'a policy decides from its facts alone'
const noBytes = 'texts and lists are all there is'
const noTimers = 'a policy decides at once'
/** Names of JavaScript that the sandbox does not have, and what to use instead. */
const advice: Readonly<Record<string, string>> = {
  Date: 'use f.nowMs, the time of the call in milliseconds',
  Temporal: 'use f.nowMs, the time of the call in milliseconds',
  performance: 'use f.nowMs, the time of the call in milliseconds',
  Promise: noTimers,
  setTimeout: noTimers,
  setInterval: noTimers,
  setImmediate: noTimers,
  queueMicrotask: noTimers,
  Intl: 'it would differ from machine to machine; compare with < and ===',
  crypto: 'use inBucket(f, …) to choose a share of callers, or f.seed',
  Proxy: 'write out what is read',
  WeakRef: 'there is no state between calls',
  FinalizationRegistry: 'there is no state between calls',
  eval: 'code is what stands in the files of the workspace',
  WebAssembly: 'code is what stands in the files of the workspace',
  fetch: fromFacts,
  URL: 'compare texts with startsWith, endsWith and includes',
  console: 'use .annotate(key, value), which stands in the record',
  process: fromFacts,
  require: 'use import with a relative path',
  Buffer: noBytes,
  TextEncoder: noBytes,
  TextDecoder: noBytes,
  atob: noBytes,
  btoa: noBytes,
  structuredClone: 'facts are read-only, so there is nothing to copy',
  SharedArrayBuffer: noBytes,
  Atomics: noBytes,
  ArrayBuffer: noBytes,
  DataView: noBytes,
  ...Object.fromEntries(
    [
      'Int8',
      'Uint8',
      'Uint8Clamped',
      'Int16',
      'Uint16',
      'Int32',
      'Uint32',
      'BigInt64',
      'BigUint64',
      'Float16',
    ]
      .concat('Float32', 'Float64')
      .map((name) => [`${name}Array`, noBytes]),
  ),
}
/** Names that are there and lead to nothing, as members of an object. */
const members: Readonly<Record<string, string>> = {
  'Math.random': 'use inBucket(f, …) to choose a share of callers, or f.seed',
}
const localeMethods: Readonly<Record<string, string>> = {
  localeCompare: 'compare with < and ===',
  toLocaleString: 'use String(…)',
  toLocaleLowerCase: 'use toLowerCase()',
  toLocaleUpperCase: 'use toUpperCase()',
  toLocaleDateString: 'use f.nowMs',
  toLocaleTimeString: 'use f.nowMs',
}
/** Names that lint tells of; each is absent in the sandbox. */
export const absentGlobals: readonly string[] = Object.keys(advice)

function declaredNames(program: AnyNode): ReadonlySet<string> {
  const names = new Set<string>()
  const add = (pattern: AnyNode | null | undefined) => {
    for (const name of pattern ? namesInPattern(pattern) : []) names.add(name)
  }
  walk(program, (node) => {
    if (node.type === 'VariableDeclarator' || node.type === 'ClassDeclaration') add(node.id)
    if (node.type === 'CatchClause') add(node.param)
    if (node.type.startsWith('Import') && 'local' in node) add(node.local)
    if (isFunction(node)) {
      add(node.id)
      for (const param of node.params) add(param)
    }
    return true
  })
  return names
}

/** Nodes that are read as values: no names of members, no labels, nothing that `typeof` only asks about. */
function valuesOf(node: AnyNode): AnyNode[] {
  if (node.type === 'MemberExpression') return node.computed ? [node.object, node.property] : [node.object]
  if (node.type === 'Property' || node.type === 'MethodDefinition' || node.type === 'PropertyDefinition') {
    return [...(node.computed ? [node.key] : []), ...(node.value ? [node.value] : [])]
  }
  if (node.type === 'UnaryExpression' && node.operator === 'typeof') return []
  if (node.type === 'ExportSpecifier' || node.type === 'ImportDeclaration') return []
  if (node.type === 'LabeledStatement') return [node.body]
  return node.type === 'BreakStatement' || node.type === 'ContinueStatement' ? [] : childrenOf(node)
}

/** `Date` for `Date` and `globalThis.Date`, `Math.random` for that. */
function nameOf(node: AnyNode): string | undefined {
  if (node.type === 'Identifier') return node.name
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier')
    return undefined
  if (node.object.type !== 'Identifier') return undefined
  const { name } = node.object
  return name === 'globalThis' ? node.property.name : `${name}.${node.property.name}`
}

class Lint {
  readonly found: PlacedFinding[] = []
  readonly #scope: TsScope
  readonly #declared: ReadonlySet<string>

  constructor(scope: TsScope) {
    this.#scope = scope
    this.#declared = declaredNames(scope.source.program)
  }

  #report(node: AnyNode, finding: Pick<PlacedFinding, 'code' | 'message' | 'severity'>): void {
    const { source } = this.#scope
    this.found.push({ file: source.file, position: source.at(node), ...finding })
  }

  visit(node: AnyNode): void {
    if (isFunction(node) && node.async) {
      const message =
        'an async function gives a Promise, which the sandbox does not have: a policy decides at once'
      this.#report(node, { code: 'async', message })
    }
    const name = nameOf(node)
    const root = name?.split('.')[0] ?? ''
    const known = Object.hasOwn(advice, name ?? '') ? advice : members
    if (name !== undefined && !this.#declared.has(root) && Object.hasOwn(known, name)) {
      const message = `${name} does not exist in the sandbox: ${known[name]}`
      this.#report(node, { code: 'absent_global', message })
      return
    }
    if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
      const method = node.property.name
      if (Object.hasOwn(localeMethods, method)) {
        const message = `${method}() knows no languages in the sandbox: ${localeMethods[method]}`
        this.#report(node.property, { code: 'locale_function', severity: 'warning', message })
      }
    }
    for (const child of valuesOf(node)) this.visit(child)
  }
}

/** Uses of what the sandbox does not have, or has in a form without languages, in one file of code. */
export function sandboxGlobals(scope: TsScope): PlacedFinding[] {
  const lint = new Lint(scope)
  lint.visit(scope.source.program)
  return lint.found
}
