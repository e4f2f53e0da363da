import type { AnyNode } from 'acorn'
import type { SourceFiles } from './built-version.ts'
import type { ProblemList } from './problem-list.ts'
import { DocumentError } from './source-document.ts'
import { apiModule, apiName, type FunctionNode, readScope, type TsScope } from './ts-scope.ts'
import { parseTsSource, walk } from './ts-source.ts'

/** A function and the file whose names it uses. */
export interface FoundFunction {
  readonly node: FunctionNode
  readonly scope: TsScope
}
const importsFollowedMax = 16

/** `policies/lib/x.ts` as seen from `policies/a.policy.ts` under the name `./lib/x.ts`; null where it leads outside. */
function joinPath(from: string, relative: string): string | null {
  const parts = from.split('/').slice(0, -1)
  for (const part of relative.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return null
    } else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

/** The files of a workspace that are code, parsed when they are first asked for. */
export class ModuleGraph {
  readonly #files: SourceFiles
  readonly #problems: ProblemList
  readonly #scopes = new Map<string, TsScope | undefined>()
  readonly #badImports = new Set<string>()

  constructor(files: SourceFiles, problems: ProblemList) {
    this.#files = files
    this.#problems = problems
  }

  /** A file's names; undefined where it does not parse, which is reported. */
  scope(file: string): TsScope | undefined {
    const known = this.#scopes.get(file)
    if (known !== undefined || this.#scopes.has(file)) return known
    const scope = this.#parse(file)
    this.#scopes.set(file, scope)
    return scope
  }

  #parse(file: string): TsScope | undefined {
    const text = this.#files.get(file)
    if (text === undefined) return undefined
    try {
      const scope = readScope(parseTsSource(file, text))
      this.#checkModule(scope)
      return scope
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error
      this.#problems.add(file, error.position, { code: 'syntax', message: error.message })
      return undefined
    }
  }

  /** Whether a file imports what it may not, or what is not there. */
  hasBadImports(file: string): boolean {
    return this.#badImports.has(file)
  }

  /** The file that an import means; undefined where there is none. */
  resolve(from: string, specifier: string): string | undefined {
    if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined
    const path = joinPath(from, specifier)
    if (path === null) return undefined
    const candidates = [path, `${path}.ts`, path.replace(/\.js$/, '.ts')]
    return candidates.find((each) => /\.(ts|js|json)$/.test(each) && this.#files.has(each))
  }

  /** Workspace files that a file imports. */
  importsOf(scope: TsScope): string[] {
    const resolved = scope.importDeclarations.flatMap(
      ({ source }) => this.resolve(scope.source.file, String(source.value)) ?? [],
    )
    return [...new Set(resolved)]
  }

  /** The file and name that a name of a file leads to, through imports between files of the workspace. */
  #origin(name: string, scope: TsScope, steps = 0): { name: string; scope: TsScope } | undefined {
    const imported = scope.imports.get(name)
    if (imported === undefined) return { name, scope }
    const file = this.resolve(scope.source.file, imported.from)
    const next = file === undefined || !/\.(ts|js)$/.test(file) ? undefined : this.scope(file)
    const inner = next?.exports.get(imported.name)
    if (next === undefined || inner === undefined || steps >= importsFollowedMax) return undefined
    return this.#origin(inner, next, steps + 1)
  }

  /** The function that a name means, in this file or another. */
  findFunction(name: string, scope: TsScope): FoundFunction | undefined {
    const origin = this.#origin(name, scope)
    const node = origin?.scope.functions.get(origin.name)
    return origin === undefined || node === undefined ? undefined : { node, scope: origin.scope }
  }

  /** The param that a name reads when it is called. */
  findParam(name: string, scope: TsScope): string | undefined {
    const origin = this.#origin(name, scope)
    const value = origin?.scope.constants.get(origin.name)
    if (origin === undefined || value?.type !== 'CallExpression') return undefined
    const [first] = value.arguments
    const isParam = apiName(value.callee, origin.scope)?.startsWith('param.')
    return isParam && first?.type === 'Literal' && typeof first.value === 'string' ? first.value : undefined
  }

  /** A literal that a name at the top of a file means. */
  findLiteral(name: string, scope: TsScope): string | number | boolean | undefined {
    const origin = this.#origin(name, scope)
    const value = origin?.scope.constants.get(origin.name)
    if (value?.type !== 'Literal') return undefined
    const literal = value.value
    const isScalar = ['string', 'number', 'boolean'].includes(typeof literal)
    return isScalar ? (literal as string | number | boolean) : undefined
  }

  /** What no file of a workspace may do, wherever it stands in it. */
  #checkModule(scope: TsScope): void {
    const { source } = scope
    const report = (node: AnyNode, code: string, message: string) =>
      this.#problems.add(source.file, source.at(node), { code, message })
    for (const node of source.program.body) {
      const from = 'source' in node ? node.source : undefined
      if (from) this.#checkImport(scope, from, String(from.value))
      const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
      if (declaration?.type !== 'VariableDeclaration' || declaration.kind === 'const') continue
      const message = `"${declaration.kind}" at the top of a file is state, which a policy does not have; use "const"`
      report(declaration, 'module_state', message)
    }
    walk(source.program, (node) => {
      if (node.type === 'ImportExpression') {
        this.#badImports.add(source.file)
        report(
          node,
          'dynamic_import',
          'import() is not possible: all code is put together when a version is built',
        )
      } else if (node.type === 'MetaProperty' && node.meta.name === 'import') {
        report(node, 'import_meta', 'import.meta does not exist in the sandbox')
      } else if (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await)) {
        report(node, 'async', '"await" is not possible: a policy decides at once, from the facts alone')
      }
      return true
    })
  }

  #checkImport(scope: TsScope, node: AnyNode, specifier: string): void {
    const { file } = scope.source
    const position = scope.source.at(node)
    if (specifier === apiModule || this.resolve(file, specifier) !== undefined) return
    const isRelative = specifier.startsWith('./') || specifier.startsWith('../')
    const message = isRelative
      ? `cannot import "${specifier}": there is no such file in the workspace`
      : `cannot import "${specifier}": a file may import "${apiModule}" and files of the workspace by relative path`
    this.#badImports.add(file)
    this.#problems.add(file, position, { code: 'import', message })
  }
}
