import { artefacts, type BlobReference, type VersionManifest } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import { engineOn } from '../engine.ts'
import { createSandbox } from '../sandbox/index.ts'
import { checkTypes } from '../typecheck/check-types.ts'
import { buildVectors } from './build-vectors.ts'
import type { BuildResult, BuiltVersion, SourceFiles } from './built-version.ts'
import { type CompiledSources, compileWorkspace } from './compile-workspace.ts'
import { ProblemList } from './problem-list.ts'
import { startOfFile } from './text-position.ts'

/** Changes with what the compiler makes of the same sources. */
export const compilerVersion = '1'
export const sourceFilesMax = 2048
export const sourceBytesMax = 4 * 1024 * 1024

export interface BuildOptions {
  readonly catalogue: PinnedCatalogue
  /** Runs the TypeScript compiler over the sources, in a child process; on unless turned off. */
  readonly typeCheck?: boolean
}

/** Paths are relative, with `/`, and lead nowhere else. */
function isPlainPath(path: string): boolean {
  const parts = path.split('/')
  return path.length <= 256 && !path.includes('\\') && parts.every((part) => !['', '.', '..'].includes(part))
}

function checkSources(files: SourceFiles, problems: ProblemList): void {
  let bytes = 0
  for (const [path, text] of files) {
    bytes += Buffer.byteLength(text)
    if (isPlainPath(path)) continue
    const message = `"${path.slice(0, 200)}" is no path inside a workspace`
    problems.add(path.slice(0, 512), startOfFile, { code: 'path', message })
  }
  if (bytes <= sourceBytesMax && files.size <= sourceFilesMax) return
  const message = `a workspace has at most ${sourceFilesMax} files of ${sourceBytesMax} bytes together`
  problems.add('signalbox.yaml', startOfFile, { code: 'sources_too_large', message })
}

/** The compiler and the type check may stumble over the same slip: what the type check says is enough. */
async function checkTypesInto(files: SourceFiles, problems: ProblemList): Promise<void> {
  const found = await checkTypes(files)
  problems.dropWhere(
    ({ code, file, line }) =>
      code === 'unknown_fact' && found.some((each) => each.file === file && each.line === line),
  )
  problems.addAll(found)
}

/** Puts a version together: every source and artefact by its content, the manifest over all of them. */
function assembleVersion(
  files: SourceFiles,
  sources: CompiledSources,
  parts: { vectors: string; sandbox: string; catalogue: string },
): BuiltVersion {
  const { compiled, bundle } = sources
  const texts = new Map([...files].map(([path, text]) => [`source/${path}`, text]))
  texts.set(artefacts.workspace, canonicalJson(compiled))
  texts.set(artefacts.script, bundle.script)
  texts.set(artefacts.sourceMap, bundle.map)
  texts.set(artefacts.vectors, parts.vectors)
  const blobs = new Map<string, Uint8Array>()
  const references: BlobReference[] = []
  for (const [path, text] of [...texts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = Buffer.from(text)
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    references.push({ path, digest, bytes: bytes.length })
  }
  const manifest: VersionManifest = {
    schema: 'version/1',
    name: compiled.name,
    engine: { sandbox: parts.sandbox, facts: 'facts/1', decision: 'decision/1', compiler: compilerVersion },
    catalogue: parts.catalogue,
    blobs: references,
  }
  const text = canonicalJson(manifest)
  const digest = digestOf(text)
  blobs.set(digest, Buffer.from(text))
  return { digest, manifest, compiled, script: bundle.script, blobs }
}

/**
 * Builds a version from the sources of a workspace: checks everything, compiles it, and gives it a digest that is the
 * same on every machine. All problems are reported at once, by file, line and column; with an error among them there
 * is no version. No code of the workspace runs but in the sandbox.
 */
export async function buildVersion(files: SourceFiles, options: BuildOptions): Promise<BuildResult> {
  const problems = new ProblemList()
  checkSources(files, problems)
  if (problems.hasErrors()) return { problems: problems.sorted(), version: null }
  const sandbox = await createSandbox()
  const engine = engineOn(sandbox)
  try {
    const catalogue = indexCatalogue(options.catalogue.catalogue)
    const sources = await compileWorkspace(files, { sandbox, catalogue, problems })
    if (options.typeCheck !== false) await checkTypesInto(files, problems)
    if (sources === undefined || problems.hasErrors()) return { problems: problems.sorted(), version: null }
    const { compiled, bundle, rules } = sources
    const built = { compiled, script: bundle.script }
    const vectors = buildVectors(built, rules, { engine, catalogue, files })
    const { digest } = options.catalogue
    const version = assembleVersion(files, sources, { vectors, sandbox: engine.digest, catalogue: digest })
    return { problems: problems.sorted(), version }
  } finally {
    sandbox.dispose()
  }
}
