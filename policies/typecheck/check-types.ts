import { join, sep } from 'node:path'
import type { Problem } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { packExports, packsOf, readManifest } from '../compile/packs.ts'
import { inTemporaryFolder, layOutApi, workspaceCompilerOptions, writeText } from './api-layout.ts'
import { plainMessage } from './plain-message.ts'
import { type CompilerLimits, type CompilerRun, compilerLimits, runCompiler } from './run-compiler.ts'
import { typedNamesOf } from './workspace-types.ts'

/** Problems reported at most; one is enough to refuse. */
const problemsMax = 100
const messageCharsMax = 4096
/** Sources that are checked. */
const checked = /^(policies|guardrails|tests)\/.*(?<!\.d)\.ts$/
/** Data that sources may import. */
const imported = /^(policies|guardrails|tests|fixtures)\/.*\.json$/
/** In tests, modules and globals of the author's own test runner are not known here and not asked for. */
const unknownInTests = new Set(['TS2304', 'TS2307', 'TS2580', 'TS2582', 'TS2591', 'TS2593'])

/** Where the compiler finds what packs export. */
function packPaths(files: SourceFiles): Record<string, string[]> {
  const paths = packsOf(files).flatMap(({ name, folder }) => {
    const exported = packExports(readManifest(files.get(`${folder}/package.json`)))
    return [...exported].map(([path, file]) => [`${name}${path.slice(1)}`, [`./workspace/${folder}/${file}`]])
  })
  return Object.fromEntries(paths)
}

/** Lays out what the compiler reads: the workspace, and the authoring API with the names of this workspace. */
async function layOut(folder: string, files: SourceFiles, sources: readonly string[]): Promise<void> {
  const data = [...files.keys()].filter((path) => imported.test(path) || path.startsWith('packs/'))
  for (const path of [...sources, ...data]) {
    await writeText(join(folder, 'workspace', path), files.get(path) ?? '')
  }
  await layOutApi(join(folder, 'api'), files)
  const compilerOptions = {
    ...workspaceCompilerOptions,
    listFiles: true,
    allowJs: true,
    checkJs: false,
    paths: {
      '@signalbox/policies': ['./api/index.ts'],
      '@signalbox/policies/test': ['./api/test.ts'],
      ...packPaths(files),
    },
  }
  const config = { compilerOptions, files: sources.map((path) => `workspace/${path}`) }
  await writeText(join(folder, 'tsconfig.json'), JSON.stringify(config))
}

function problem(code: string, message: string, at: Partial<Problem> = {}): Problem {
  const place = { file: 'signalbox.yaml', line: 1, column: 1, ...at }
  return { severity: 'error', code, ...place, message: message.slice(0, messageCharsMax) }
}

/** `workspace/policies/a.policy.ts(3,5): error TS2322: …`, with indented lines that go on. */
const diagnostic = /^workspace\/(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/

function readDiagnostics(output: string): Problem[] {
  const problems: Problem[] = []
  for (const line of output.split('\n')) {
    const match = diagnostic.exec(line)
    const last = problems.at(-1)
    if (match !== null) {
      const [, file = '', row = '1', column = '1', code = '', message = ''] = match
      problems.push(problem(code, message, { file, line: Number(row), column: Number(column) }))
    } else if (line.startsWith('  ') && last !== undefined) {
      last.message = `${last.message}\n${line}`.slice(0, messageCharsMax)
    }
  }
  // How strictly a pack is typed is its own affair; what it may do is the compiler's.
  const isTheirs = ({ file, code }: Problem): boolean =>
    file.startsWith('packs/') || (file.startsWith('tests/') && unknownInTests.has(code))
  return problems.filter((each) => !isTheirs(each))
}

/** Whether the compiler read a source that is neither of the workspace, nor ours, nor its own library. */
function readOutside(output: string, folder: string): boolean {
  const lib = `${sep}typescript-${process.platform}-${process.arch}${sep}lib${sep}lib.`
  const read = output.split('\n').filter((line) => /^(\/|[A-Za-z]:).*\.([cm]?[jt]sx?|json)$/.test(line))
  return read.some((path) => !path.startsWith(folder + sep) && !path.includes(lib))
}

function problemsOf(run: CompilerRun, folder: string, limits: CompilerLimits): Problem[] {
  if (run.ended !== undefined) {
    const limit = {
      time: `${limits.timeoutMs} ms`,
      memory: `${limits.memoryBytesMax} bytes of memory`,
      output: `${limits.outputBytesMax} bytes of messages`,
    }[run.ended]
    return [problem('typeCheckLimit', `The type check needs more than ${limit}.`)]
  }
  // What was found there is not told: a message could quote a file that its author may not read.
  if (readOutside(run.output, folder)) {
    return [problem('importOutside', 'A file imports something that is not in the workspace.')]
  }
  const problems = readDiagnostics(run.output)
  if (problems.length === 0 && run.exitCode !== 0 && /^(error|api)/m.test(run.output + run.trouble)) {
    const line = (run.trouble + run.output).split('\n').find((each) => /error/.test(each)) ?? ''
    return [problem('typeCheck', `The type check did not work: ${line.replaceAll(folder, '')}`)]
  }
  return problems.slice(0, problemsMax)
}

function lineOf({ file, line }: Problem, files: SourceFiles): string {
  return files.get(file)?.split('\n', line)[line - 1] ?? ''
}

/**
 * Type-checks policies, guardrails and `*.test.ts` of a workspace against the authoring API and the metadata
 * that its `signalbox.yaml` declares. Runs the compiler in a child process, in a folder of its own that is
 * removed afterwards, with limits on time, memory and output and without our environment. Nothing of the
 * workspace is run.
 * @returns a problem per diagnostic, with the compiler's code (`TS2322`), file, line and column.
 */
export async function checkTypes(
  files: SourceFiles,
  options: { limits?: Partial<CompilerLimits> } = {},
): Promise<Problem[]> {
  const sources = [...files.keys()].filter((path) => checked.test(path)).sort()
  if (sources.length === 0) return []
  const limits = { ...compilerLimits, ...options.limits }
  const metadata = (): string[] => Object.keys(typedNamesOf(files).metadata)
  return inTemporaryFolder(async (folder) => {
    await layOut(folder, files, sources)
    const found = problemsOf(await runCompiler(folder, limits), folder, limits)
    return found.map((each) => ({ ...each, message: plainMessage(each, lineOf(each, files), metadata) }))
  })
}
