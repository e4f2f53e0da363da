import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SourceFiles } from '../compile/built-version.ts'
import { type PublishedSchema, publishedSchemas, schemaText } from '../schemas/json-schemas.ts'
import { workspaceSchemas } from '../schemas/workspace-schemas.ts'
import { declareApi, workspaceCompilerOptions } from '../typecheck/api-layout.ts'
import { pythonClient } from '../typecheck/python-client.ts'
import { typedClient } from '../typecheck/typed-client.ts'
import { typedNamesOf, workspaceModule } from '../typecheck/workspace-types.ts'

/** Everything here is made from the workspace and can be made again. */
const folder = '.signalbox/types'
const namesFile = `${folder}/policies/workspace.d.ts`

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function schemasIn(language: PublishedSchema['language']): readonly PublishedSchema[] {
  return publishedSchemas().filter((each) => each.language === language)
}

/** Where a schema stands, for the settings of an editor. */
function placeOf({ name }: PublishedSchema): string {
  return `./${folder}/${name}`
}

const tsconfig = json({
  compilerOptions: {
    ...workspaceCompilerOptions,
    paths: {
      '@signalbox/policies': [`./${folder}/policies/index.d.ts`],
      '@signalbox/policies/test': [`./${folder}/policies/test.d.ts`],
    },
  },
  include: ['policies', 'guardrails', 'tests'],
})
const settings = json({
  'json.schemas': schemasIn('json').map((each) => ({ fileMatch: each.files, url: placeOf(each) })),
  'yaml.schemas': Object.fromEntries(schemasIn('yaml').map((each) => [placeOf(each), each.files])),
})
/** What an author may change: written where it is missing, and never again. */
const once: ReadonlyMap<string, string> = new Map([
  ['tsconfig.json', tsconfig],
  ['.vscode/settings.json', settings],
  ['.gitignore', '.signalbox/\nnode_modules/\n'],
])

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Writes a file whose text differs. Returns whether it did. */
async function writeIfOther(path: string, text: string): Promise<boolean> {
  if ((await textOf(path)) === text) return false
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return true
}

export interface EditorFilesOptions {
  /** Where the typed client goes, relative to the working folder; beside the types if left out. */
  readonly client?: string
}
/** Files of one run of `writeEditorFiles`, relative to the workspace. */
export interface WrittenEditorFiles {
  readonly written: readonly string[]
  /** Files of the author's own that are there and were left as they are. */
  readonly kept: readonly string[]
}

/**
 * Writes what an editor needs to know of a workspace, so that it works with the folder alone: declarations of
 * `@signalbox/policies` with the names of this workspace, JSON Schemas, a typed client; and, where they are missing,
 * `tsconfig.json`, settings of the editor and `.gitignore`.
 * @throws Error where the declarations cannot be made.
 */
export async function writeEditorFiles(
  dir: string,
  files: SourceFiles,
  options: EditorFilesOptions = {},
): Promise<WrittenEditorFiles> {
  const names = typedNamesOf(files)
  const texts = new Map<string, string>()
  for (const [name, text] of await declareApi(files)) texts.set(`${folder}/policies/${name}`, text)
  texts.set(namesFile, workspaceModule(names))
  for (const schema of workspaceSchemas(names)) texts.set(`${folder}/${schema.name}`, schemaText(schema))
  if (options.client === undefined) texts.set(`${folder}/client.ts`, typedClient(names))
  const written: string[] = []
  const kept: string[] = []
  for (const [path, text] of texts) if (await writeIfOther(join(dir, path), text)) written.push(path)
  if (options.client !== undefined && (await writeIfOther(options.client, typedClient(names)))) {
    written.push(options.client)
  }
  for (const [path, text] of once) {
    const present = await textOf(join(dir, path))
    if (present === undefined) {
      await writeIfOther(join(dir, path), text)
      written.push(path)
    } else if (present !== text) kept.push(path)
  }
  return { written, kept }
}

/**
 * Writes the Python module of a workspace, to `client` or beside the types. Returns the file, and whether it differed.
 */
export async function writePythonClient(
  dir: string,
  files: SourceFiles,
  client = join(dir, folder, 'client.py'),
): Promise<{ readonly file: string; readonly isWritten: boolean }> {
  return { file: client, isWritten: await writeIfOther(client, pythonClient(typedNamesOf(files))) }
}

/** Brings the names in a folder's types up to date, where `writeEditorFiles` has written some. */
export async function refreshEditorFiles(dir: string, files: SourceFiles): Promise<void> {
  const isThere = await stat(join(dir, namesFile)).catch(() => undefined)
  if (isThere === undefined) return
  const names = typedNamesOf(files)
  await writeIfOther(join(dir, namesFile), workspaceModule(names))
  for (const schema of workspaceSchemas(names)) {
    await writeIfOther(join(dir, `${folder}/${schema.name}`), schemaText(schema))
  }
}
