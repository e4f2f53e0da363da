import type { AnyNode, Expression } from 'acorn'
import type { SourceFiles } from './built-version.ts'
import {
  candidatePaths,
  type Pack,
  packExports,
  packOfFile,
  packOfSpecifier,
  packsOf,
  readManifest,
} from './packs.ts'
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

/** The one expression that a function gives; undefined for any other body. */
export function resultOf(node: FunctionNode): Expression | undefined {
  if (node.body.type !== 'BlockStatement') return node.body
  const [only, second] = node.body.body
  return only?.type === 'ReturnStatement' && second === undefined ? (only.argument ?? undefined) : undefined
}

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

function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../')
}

/** The files of a workspace that are code, parsed when they are first asked for. */
export class ModuleGraph {
  readonly #files: SourceFiles
  readonly #problems: ProblemList
  readonly #scopes = new Map<string, TsScope | undefined>()
  readonly #badImports = new Set<string>()
  readonly #packs: readonly Pack[]

  constructor(files: SourceFiles, problems: ProblemList) {
    this.#files = files
    this.#problems = problems
    this.#packs = packsOf(files)
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

  /** The file that an import means; undefined where there is none, or where it may not be reached. */
  resolve(from: string, specifier: string): string | undefined {
    if (!isRelative(specifier)) return this.#resolvePack(specifier)
    const path = joinPath(from, specifier)
    const found = path === null ? undefined : candidatePaths(path).find((each) => this.#files.has(each))
    if (found === undefined) return undefined
    const home = packOfFile(from, this.#packs)
    const isHome = home === undefined ? !found.startsWith('packs/') : found.startsWith(`${home.folder}/`)
    return isHome ? found : undefined
  }

  #resolvePack(specifier: string): string | undefined {
    const named = packOfSpecifier(specifier, this.#packs)
    if (named === undefined) return undefined
    const { folder } = named.pack
    const path = packExports(readManifest(this.#files.get(`${folder}/package.json`))).get(named.subpath)
    const paths = path === undefined ? [] : candidatePaths(`${folder}/${path}`)
    return paths.find((each) => this.#files.has(each))
  }

  /** Files of the workspace and its packs that a file imports, or exports again. */
  importsOf(scope: TsScope): string[] {
    const resolved = scope.source.program.body.flatMap((node) => {
      const from = 'source' in node ? node.source?.value : undefined
      return from === undefined ? [] : (this.resolve(scope.source.file, String(from)) ?? [])
    })
    return [...new Set(resolved)]
  }

  /** The file and name that a name of a file leads to, through imports between files of the workspace. */
  #origin(name: string, scope: TsScope, steps = 0): { name: string; scope: TsScope } | undefined {
    const imported = scope.imports.get(name)
    if (imported === undefined) return { name, scope }
    const file = this.resolve(scope.source.file, imported.from)
    const next = file === undefined || !/\.(ts|js)$/.test(file) ? undefined : this.scope(file)
    return next === undefined ? undefined : this.#exported(imported.name, next, steps + 1)
  }

  /** What a file exports under a name, also where it exports what another one does. */
  #exported(name: string, scope: TsScope, steps: number): { name: string; scope: TsScope } | undefined {
    if (steps > importsFollowedMax) return undefined
    const inner = scope.exports.get(name)
    if (inner !== undefined) return this.#origin(inner, scope, steps)
    const again = scope.reexports.get(name)
    const file = again && this.resolve(scope.source.file, again.from)
    const next = file === undefined || !/\.(ts|js)$/.test(file) ? undefined : this.scope(file)
    return next && again && this.#exported(again.name, next, steps + 1)
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

  /** The type that the param behind a name is declared with. */
  paramKind(name: string, scope: TsScope): string | undefined {
    const found = this.findConstant(name, scope)
    return found?.node.type === 'CallExpression'
      ? apiName(found.node.callee, found.scope)?.replace('param.', '')
      : undefined
  }

  /** What a constant at the top of a file is, and the file whose names it uses. */
  findConstant(name: string, scope: TsScope): { node: Expression; scope: TsScope } | undefined {
    const origin = this.#origin(name, scope)
    const node = origin?.scope.constants.get(origin.name)
    return origin === undefined || node === undefined ? undefined : { node, scope: origin.scope }
  }

  /** A literal that a name at the top of a file means. */
  findLiteral(name: string, scope: TsScope): string | number | boolean | undefined {
    const value = this.findConstant(name, scope)?.node
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
    this.#badImports.add(file)
    const why = this.#whyNot(file, specifier)
    if (why === undefined) return
    this.#problems.add(file, position, { code: 'import', message: `cannot import "${specifier}": ${why}` })
  }

  /** Why an import leads nowhere; undefined for a pack that is not there, which is told where it is listed. */
  #whyNot(file: string, specifier: string): string | undefined {
    const home = packOfFile(file, this.#packs)
    const place = home === undefined ? 'the workspace' : `the pack "${home.name}"`
    if (isRelative(specifier)) return `there is no such file in ${place}`
    const named = packOfSpecifier(specifier, this.#packs)
    if (named === undefined) {
      return `a file may import "${apiModule}", files of ${place} by relative path, and packs that signalbox.yaml lists`
    }
    const manifest = this.#files.get(`${named.pack.folder}/package.json`)
    if (manifest === undefined) return undefined
    const exported = packExports(readManifest(manifest))
    const path = exported.get(named.subpath)
    const names = [...exported.keys()].map((each) => `"${named.pack.name}${each.slice(1)}"`).join(', ')
    return path === undefined
      ? `the pack exports ${names || 'nothing'}`
      : `the pack has no file ${path} that is .ts, .js or .json`
  }
}
