import type { SourceFiles } from './built-version.ts'
import type { CompiledModule, CompiledSite } from './condition.ts'
import { factsSchemaOf, guardrailFactsSchemasOf, type MetadataSchemas } from './fact-schemas.ts'
import { reportImportCycles } from './import-cycles.ts'
import { parseJsonDocument } from './json-document.ts'
import { compileJsonGuardrail } from './json-guardrail.ts'
import { compileJsonPolicy } from './json-policy.ts'
import { ModuleGraph } from './module-graph.ts'
import type { ProblemList } from './problem-list.ts'
import { checkPromptCalls } from './prompt-calls.ts'
import { parseOrReport, type SourceDocument } from './source-document.ts'
import { startOfFile } from './text-position.ts'
import { compileTsModule, guardrailFile, type TsPolicyScope } from './ts-policy.ts'
import { apiName, type TsScope } from './ts-scope.ts'
import { walk } from './ts-source.ts'
import type { WorkspaceNames } from './workspace-names.ts'

const definitionFile = /^(policies\/.*\.policy|guardrails\/.*\.guardrail)\.(ts|json)$/

/** Files that export a policy or a guardrail, in the order in which they are asked. */
export function definitionFiles(files: SourceFiles): string[] {
  return [...files.keys()].filter((path) => definitionFile.test(path)).sort()
}

/** The files of a workspace that become code. */
export class WorkspaceModules {
  readonly graph: ModuleGraph
  readonly modules = new Map<string, CompiledModule>()
  readonly #files: SourceFiles
  readonly #problems: ProblemList
  readonly #documents = new Map<string, SourceDocument>()

  constructor(files: SourceFiles, problems: ProblemList) {
    this.#files = files
    this.#problems = problems
    this.graph = new ModuleGraph(files, problems)
    for (const file of definitionFiles(files)) {
      if (!file.endsWith('.json')) continue
      const parse = () => parseJsonDocument(file, files.get(file) ?? '')
      const document = parseOrReport(parse, file, problems)
      if (document !== undefined) this.#documents.set(file, document)
    }
  }

  /** Reports what does not parse. */
  parse(): void {
    for (const file of definitionFiles(this.#files)) if (file.endsWith('.ts')) this.graph.scope(file)
  }

  /** Guardrails by id: policies may demand them before they are compiled. */
  guardrails(): ReadonlyMap<string, 'input' | 'output'> {
    const found = new Map<string, 'input' | 'output'>()
    for (const file of definitionFiles(this.#files).filter((each) => guardrailFile.test(each))) {
      const { id, direction } = this.#written(file)
      if (typeof id === 'string' && (direction === 'input' || direction === 'output'))
        found.set(id, direction)
    }
    return found
  }

  /** Id and direction of a guardrail, as far as they can be seen before it is compiled. */
  #written(file: string): { readonly id?: unknown; readonly direction?: unknown } {
    const scope = file.endsWith('.ts') ? this.graph.scope(file) : undefined
    return Object(scope === undefined ? this.#documents.get(file)?.value : writtenGuardrail(scope))
  }

  /** Compiles every definition and what it imports. */
  compile(names: WorkspaceNames, metadata: MetadataSchemas): void {
    const facts = factsSchemaOf(metadata)
    const schemas = guardrailFactsSchemasOf(metadata)
    const guardrailFacts = (file: string) =>
      schemas[this.#written(file).direction === 'input' ? 'input' : 'output']
    const problems = this.#problems
    const around: TsPolicyScope = { graph: this.graph, facts, guardrailFacts, problems }
    for (const file of definitionFiles(this.#files)) {
      const document = this.#documents.get(file)
      if (document === undefined) this.#compileTs(file, around)
      else {
        const module = guardrailFile.test(file)
          ? compileJsonGuardrail(document, { facts: guardrailFacts(file), names, problems })
          : compileJsonPolicy(document, { facts, names, problems })
        if (module !== undefined) this.modules.set(file, module)
      }
    }
    reportImportCycles(this.modules, this.graph, problems)
    this.#checkPrompts(names.prompts)
  }

  /** Prompts that code names are checked where they are named. */
  #checkPrompts(prompts: WorkspaceNames['prompts']): void {
    for (const file of this.modules.keys()) {
      const scope = file.endsWith('.json') ? undefined : this.graph.scope(file)
      if (scope !== undefined) checkPromptCalls(scope, prompts, this.#problems)
    }
  }

  #compileTs(file: string, around: TsPolicyScope): void {
    if (this.modules.has(file) || !/\.(ts|js)$/.test(file)) return
    const module = compileTsModule(file, around)
    if (module === undefined) return
    this.modules.set(file, module)
    for (const imported of module.imports) this.#compileTs(imported, around)
  }

  /** Definitions that can be put into a script, those left out have errors that forbid it. */
  runnable(): string[] {
    const files = definitionFiles(this.#files)
    return files.filter((file) => {
      const module = this.modules.get(file)
      if (module === undefined || !this.#isWhole(file, new Set())) return false
      if (module.defaultPosition !== undefined) return true
      const wanted = guardrailFile.test(file) ? 'guardrail(…)' : 'constraint(…) or route(…)'
      const message = `this file has no default export; it needs "export default ${wanted}"`
      this.#problems.add(file, startOfFile, { code: 'default_export', message })
      return false
    })
  }

  /** Whether a file and all that it imports can be read. */
  #isWhole(file: string, seen: Set<string>): boolean {
    if (seen.has(file) || file.endsWith('.json')) return true
    seen.add(file)
    const module = this.modules.get(file)
    if (module === undefined || this.graph.hasBadImports(file)) return false
    return module.imports.every((imported) => this.#isWhole(imported, seen))
  }

  sites(): ReadonlyMap<string, CompiledSite> {
    return new Map([...this.modules.values()].flatMap((module) => [...module.sites]))
  }
}

/** Id and direction of a guardrail in TypeScript, as far as they are written in place. */
function writtenGuardrail({ source, ...scope }: TsScope): { id?: unknown; direction?: unknown } {
  let found = {}
  walk(source.program, (node) => {
    if (node.type !== 'CallExpression' || apiName(node.callee, { source, ...scope }) !== 'guardrail')
      return true
    const [id, options] = node.arguments
    const members = options?.type === 'ObjectExpression' ? options.properties : []
    const direction = members.find(
      (each) => each.type === 'Property' && each.key.type === 'Identifier' && each.key.name === 'direction',
    )
    const value = direction?.type === 'Property' ? direction.value : undefined
    found = {
      id: id?.type === 'Literal' ? id.value : undefined,
      direction: value?.type === 'Literal' ? value.value : undefined,
    }
    return false
  })
  return found
}
