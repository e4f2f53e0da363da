import {
  artefacts,
  type BlobReference,
  executableFeatures,
  type Problem,
  planFeatures,
  type VersionManifest,
} from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import { engineOn } from '../engine.ts'
import { createSandbox } from '../sandbox/index.ts'
import { withDefaults } from '../sandbox/limits.ts'
import { checkTypes } from '../typecheck/check-types.ts'
import { applyAllowances } from './analysis/allowances.ts'
import type { AnalysisReport } from './analysis/analyse.ts'
import { placedProblems } from './analysis/placed-problems.ts'
import { buildVectors, type MadeVector } from './build-vectors.ts'
import type { BuildResult, BuiltVersion, SourceFiles } from './built-version.ts'
import { type CompiledSources, compileWorkspace } from './compile-workspace.ts'
import { ProblemList } from './problem-list.ts'
import { startOfFile } from './text-position.ts'
import { VectorFindings } from './vector-findings.ts'

/** Changes with what the compiler makes of the same sources. */
export const compilerVersion = '2'
export const sourceFilesMax = 2048
export const sourceBytesMax = 4 * 1024 * 1024

export interface BuildOptions {
  readonly catalogue: PinnedCatalogue
  /** Runs the TypeScript compiler over the sources, in a child process; on unless turned off. */
  readonly typeCheck?: boolean
  /**
   * Whether golden vectors that run out of fuel or memory refuse the version, as where one is made for use, or are
   * warned of, as where cases are run that may be about just that. Warned of if left out.
   */
  readonly overFuel?: 'refuse' | 'warn'
  /** Plans that this release cannot carry out are warnings, as for running cases; else errors. */
  readonly anyPlan?: boolean
  /** Day in UTC (`2026-11-22`): targets that end soon are warned of. The version never depends on it. */
  readonly today?: string
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
  const message = `the workspace has ${files.size} files of ${bytes} bytes together; at most ${sourceFilesMax} files and ${sourceBytesMax} bytes are possible`
  problems.add('signalbox.yaml', startOfFile, { code: 'sources_too_large', message })
}

const nameCodes = ['unknown_model', 'unknown_connection', 'unknown_guardrail', 'unknown_prompt']

/**
 * The compiler and the type check may stumble over the same slip. Of a fact, what the type check says is enough; of a
 * name, the type check knows its place, and the compiler what was meant.
 */
async function checkTypesInto(files: SourceFiles, problems: ProblemList): Promise<void> {
  const found = await checkTypes(files)
  problems.dropWhere(
    ({ code, file, line }) =>
      code === 'unknown_fact' && found.some((each) => each.file === file && each.line === line),
  )
  const isTold = ({ code, file, line }: Problem): boolean =>
    /^TS(2304|2503|2552|258[0-9])$/.test(code) && problems.has(file, line, 'absent_global')
  problems.dropWhere((known) => {
    const name = nameCodes.includes(known.code) ? /"[^"]+"/.exec(known.message)?.[0] : undefined
    const same = found.find(
      ({ code, file, message }) =>
        code.startsWith('TS') && file === known.file && name !== undefined && message.includes(`'${name}'`),
    )
    if (same !== undefined) Object.assign(same, { code: known.code, message: known.message })
    return same !== undefined
  })
  problems.addAll(found.filter((each) => !isTold(each)))
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
  const refused = (analysis: AnalysisReport | null = null): BuildResult => {
    applyAllowances(files, problems)
    // What follows from sources that are wrong is of no use to anyone.
    problems.dropWhere(({ severity }) => severity === 'note')
    return { problems: placedProblems(problems.sorted(), files), version: null, analysis }
  }
  checkSources(files, problems)
  if (problems.hasErrors()) return refused()
  const sandbox = await createSandbox()
  const engine = engineOn(sandbox)
  try {
    const catalogue = indexCatalogue(options.catalogue.catalogue)
    const sources = await compileWorkspace(files, { sandbox, catalogue, problems, today: options.today })
    if (options.typeCheck !== false) await checkTypesInto(files, problems)
    if (options.anyPlan === true) problems.soften('unsupported_strategy')
    if (sources === undefined || problems.hasErrors()) return refused(sources?.analysis)
    const { compiled, bundle, rules, analysis } = sources
    const built = { compiled, script: bundle.script }
    const features = options.anyPlan === true ? planFeatures : executableFeatures
    const findings = new VectorFindings(compiled.policies, withDefaults({}))
    const watch = (vector: MadeVector): void => findings.watch(vector)
    const vectors = buildVectors(built, rules, { engine, catalogue, files, features, watch })
    for (const { file, position, ...finding } of findings.found) {
      const severity = finding.severity ?? (options.overFuel === 'refuse' ? 'error' : 'warning')
      problems.add(file, position, { ...finding, severity })
    }
    applyAllowances(files, problems)
    if (problems.hasErrors()) return refused(analysis)
    const { digest } = options.catalogue
    const parts = { vectors, sandbox: engine.digest, catalogue: digest }
    const version = assembleVersion(files, sources, parts)
    return { problems: placedProblems(problems.sorted(), files), version, analysis }
  } finally {
    sandbox.dispose()
  }
}
