import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Message, type Plugin } from 'esbuild'
import type { SourceFiles } from './built-version.ts'
import type { CompiledModule } from './condition.ts'
import type { ModuleGraph } from './module-graph.ts'
import type { ProblemList } from './problem-list.ts'
import { type Position, startOfFile } from './text-position.ts'
import { apiModule } from './ts-scope.ts'

export const scriptBytesMax = 512 * 1024
const runtimeModule = `${apiModule}/runtime`
export const testRuntimeModule = `${apiModule}/test-runtime`
const entryFile = 'policies.js'
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
/** Files of ours that go into every script. */
const doors: Readonly<Record<string, string>> = {
  [apiModule]: 'authoring/index.ts',
  [runtimeModule]: 'runtime/entry.ts',
  [`${apiModule}/test`]: 'authoring/test.ts',
  [testRuntimeModule]: 'runtime/tests.ts',
}

export interface Bundle {
  readonly script: string
  readonly map: string
}
export interface BundleInput {
  readonly files: SourceFiles
  readonly graph: ModuleGraph
  /** Compiled modules by file. */
  readonly modules: ReadonlyMap<string, CompiledModule>
  /** Files whose default export is a policy or a guardrail, in order. */
  readonly definitions: readonly string[]
  /** Some function may hand facts on: they are frozen. */
  readonly freeze: boolean
  /** Code of the script's start; that of a version if left out. */
  readonly entry?: string
}

/** The script's start: hands all definitions to the runtime. */
function entryCode({ definitions, freeze }: BundleInput): string {
  const imports = definitions.map((file, index) => `import d${index} from ${JSON.stringify(`./${file}`)}`)
  const pairs = definitions.map((file, index) => `[${JSON.stringify(file)},d${index}]`)
  return [
    `import{createScript}from${JSON.stringify(runtimeModule)}`,
    ...imports,
    `export default createScript([${pairs.join()}],${JSON.stringify({ freeze })})`,
  ].join('\n')
}

function inlineMap(map: string): string {
  return `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
}

/**
 * Gives esbuild the files it asks for: those of the workspace from memory, ours from this package. Names are the same
 * on every machine, since esbuild writes them into its output.
 */
function virtualFiles(input: BundleInput): Plugin {
  const { files, graph, modules } = input
  return {
    name: 'workspace',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, importer, namespace, kind }) => {
        if (kind === 'entry-point') return { path: entryFile, namespace: 'entry' }
        const door = doors[path]
        if (door !== undefined) return { path: door, namespace: 'signalbox' }
        if (namespace === 'signalbox') {
          return { path: new URL(path, `file:///${importer}`).pathname.slice(1), namespace }
        }
        const file = namespace === 'entry' ? path.slice(2) : graph.resolve(importer, path)
        return file === undefined
          ? { errors: [{ text: `cannot import "${path}"` }] }
          : { path: file, namespace: 'workspace' }
      })
      onLoad({ filter: /.*/, namespace: 'entry' }, () => ({
        contents: input.entry ?? entryCode(input),
        loader: 'js',
      }))
      onLoad({ filter: /.*/, namespace: 'signalbox' }, async ({ path }) => ({
        contents: await readFile(`${packageFolder}/${path}`, 'utf8'),
        loader: 'ts',
      }))
      onLoad({ filter: /.*/, namespace: 'workspace' }, ({ path }) => {
        const module = modules.get(path)
        if (module !== undefined) return { contents: module.code + inlineMap(module.map), loader: 'ts' }
        return { contents: files.get(path) ?? '', loader: path.endsWith('.json') ? 'json' : 'ts' }
      })
    },
  }
}

/** A name of esbuild's as authors know it: `workspace:policies/a.policy.ts` → `policies/a.policy.ts`. */
function plainName(source: string): string {
  return source.replace(/^(workspace|entry):/, '').replace(/^signalbox:/, `${apiModule}/`)
}

function plainMap(text: string): string {
  const map: { sources: string[] } = JSON.parse(text)
  return JSON.stringify({ ...map, sources: map.sources.map(plainName) })
}

/** Columns of esbuild count bytes from 0. */
function positionOf({ location }: Message): { file: string; position: Position } {
  if (location === null) return { file: 'signalbox.yaml', position: startOfFile }
  const { file, line, column, lineText } = location
  const before = Buffer.from(lineText).subarray(0, column).toString()
  return {
    file: plainName(file),
    position: { line, column: before.length + 1 },
  }
}

function isBuildFailure(error: unknown): error is Error & { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

/**
 * Puts all definitions, what they import and the runtime into one script, the same for the same sources on every
 * machine. Undefined where that is not possible, which is reported.
 */
export async function bundle(input: BundleInput, problems: ProblemList): Promise<Bundle | undefined> {
  try {
    const { outputFiles } = await build({
      entryPoints: [entryFile],
      plugins: [virtualFiles(input)],
      absWorkingDir: packageFolder,
      tsconfigRaw: {},
      outfile: entryFile,
      sourcemap: 'external',
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'signalbox',
      footer: { js: 'signalbox.default' },
      target: 'es2023',
      platform: 'neutral',
      charset: 'utf8',
      legalComments: 'none',
      minifySyntax: false,
      logLevel: 'silent',
    })
    const script = outputFiles.find(({ path }) => path.endsWith('.js'))?.text ?? ''
    const map = outputFiles.find(({ path }) => path.endsWith('.map'))?.text ?? '{"sources":[]}'
    const bytes = Buffer.byteLength(script)
    if (bytes > scriptBytesMax) {
      const message = `all policies together are ${bytes} bytes of script, at most ${scriptBytesMax} are allowed`
      problems.add('signalbox.yaml', startOfFile, { code: 'script_too_large', message })
      return undefined
    }
    return { script, map: plainMap(map) }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    for (const each of error.errors) {
      const { file, position } = positionOf(each)
      problems.add(file, position, { code: 'bundle', message: each.text })
    }
    return undefined
  }
}
