import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceFiles } from '../compile/built-version.ts'
import { compilerLimits, runCompiler } from './run-compiler.ts'
import { typedNamesOf, workspaceModule } from './workspace-types.ts'

const authoringFolder = fileURLToPath(new URL('../authoring', import.meta.url))
/** The file of the authoring API that is made anew for each workspace. */
const namesFile = 'workspace.ts'

/** How code of a workspace is checked, by `signalbox check` and in the editor. */
export const workspaceCompilerOptions = {
  strict: true,
  noEmit: true,
  target: 'es2023',
  lib: ['es2023'],
  module: 'esnext',
  moduleResolution: 'bundler',
  customConditions: ['signalbox'],
  moduleDetection: 'force',
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noFallthroughCasesInSwitch: true,
  resolveJsonModule: true,
  skipLibCheck: true,
  types: [],
} as const

export async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** Writes the authoring API as the code of one workspace sees it into a folder. */
export async function layOutApi(folder: string, files: SourceFiles): Promise<void> {
  for (const name of await readdir(authoringFolder)) {
    if (name !== namesFile)
      await writeText(join(folder, name), await readFile(join(authoringFolder, name), 'utf8'))
  }
  await writeText(join(folder, namesFile), workspaceModule(typedNamesOf(files)))
}

/** Makes a folder of its own for a run of the compiler, and takes it away afterwards. */
export async function inTemporaryFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-types-')))
  try {
    return await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Declarations of the authoring API for one workspace, by file name: what editors read where our sources are not.
 * @throws Error where the compiler does not make them.
 */
export async function declareApi(files: SourceFiles): Promise<ReadonlyMap<string, string>> {
  return inTemporaryFolder(async (folder) => {
    await layOutApi(join(folder, 'api'), files)
    const emit = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: 'api',
      outDir: 'out',
    }
    const compilerOptions = { ...workspaceCompilerOptions, ...emit }
    await writeText(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['api'] }))
    const { exitCode, output, trouble } = await runCompiler(folder, compilerLimits)
    if (exitCode !== 0)
      throw new Error(`the types cannot be made: ${(trouble + output).replaceAll(folder, '')}`)
    const declarations = new Map<string, string>()
    for (const name of (await readdir(join(folder, 'out'))).sort()) {
      const text = await readFile(join(folder, 'out', name), 'utf8')
      declarations.set(name, text.replaceAll(/(from ['"]\.\/[\w.-]+)\.ts(['"])/g, '$1.js$2'))
    }
    return declarations
  })
}
