import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { pushBytesMax, Refusal } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { loadPacks } from './load-packs.ts'

const workspaceFileName = 'signalbox.yaml'
/** Folders whose files belong to a workspace. */
const workspaceFolders = ['policies', 'guardrails', 'prompts', 'tests', 'fixtures'] as const

/** Whether a path, relative to the folder of a workspace, is one that belongs to it. */
export function isWorkspacePath(path: string): boolean {
  return path === workspaceFileName || workspaceFolders.some((folder) => path.startsWith(`${folder}/`))
}
const extensions = /\.(json|ya?ml|md|ts)$/
/**
 * A file that calls itself a part of the workspace but would not be read; left out silently it would not
 * protect.
 */
const misspelt = /\.(policy|guardrail|prompt|cases|facts)\.[^.]+$/
const filesMax = 4096
const depthMax = 16

/** A file that was found, and where its content is. */
interface Found {
  readonly path: string
  readonly location: string
  readonly bytes: number
}

function refuse(path: string, message: string): Refusal {
  return new Refusal('check_failed', { message: `${path}: ${message}`, param: path })
}

/** Whether a real path is the folder itself or lies in it. */
const isInside = (folder: string, location: string): boolean =>
  location === folder || location.startsWith(folder + sep)

/** Walks one folder, following links that stay in the workspace. */
async function walk(root: string, path: string, found: Found[]): Promise<void> {
  if (path.split('/').length > depthMax) throw refuse(path, `folders may be at most ${depthMax} deep`)
  const names = await readdir(join(root, path))
  for (const name of names.sort()) {
    if (name.startsWith('.') || name === 'node_modules') continue
    await visit(root, `${path}/${name}`, found)
  }
}

async function visit(root: string, path: string, found: Found[]): Promise<void> {
  const location = await realpath(join(root, path)).catch(() => undefined)
  if (location === undefined) throw refuse(path, 'is a link to nothing')
  const about = await stat(location)
  const wanted = extensions.test(path)
  if (!isInside(root, location)) {
    if (about.isDirectory() || wanted) throw refuse(path, 'is a link to a place outside the workspace')
    return
  }
  if (about.isDirectory()) return walk(root, path, found)
  if (!about.isFile()) return
  if (!wanted) {
    if (!misspelt.test(path)) return
    throw refuse(path, 'expected a name that ends in .ts, .json, .yaml, .yml or .md')
  }
  found.push({ path, location, bytes: about.size })
  if (found.length > filesMax) throw refuse(path, `a workspace has at most ${filesMax} files`)
}

async function findFiles(root: string): Promise<Found[]> {
  const names = new Set(await readdir(root))
  if (!names.has(workspaceFileName)) {
    const hint = names.has('signalbox.yml') ? 'rename signalbox.yml' : 'make one with `signalbox init`'
    throw refuse(workspaceFileName, `expected this file in ${root}: ${hint}`)
  }
  const found: Found[] = []
  await visit(root, workspaceFileName, found)
  for (const folder of workspaceFolders) if (names.has(folder)) await visit(root, folder, found)
  return found
}

/**
 * Reads a workspace from a folder, sorted by path: `signalbox.yaml` and what lies in `policies`,
 * `guardrails`, `prompts`, `tests` and `fixtures` with the extension .ts, .json, .yaml, .yml or .md, and the
 * packs that they import. Dot folders and `node_modules` are passed over.
 * @throws Refusal `check_failed` that names the file where there is no workspace, a link leads outside, a
 *   name ends in something that would not be read, or a file is not UTF-8; `request_too_large` above 4 MiB in
 *   all.
 */
export async function loadWorkspaceFolder(dir: string): Promise<SourceFiles> {
  const root = await realpath(dir).catch(() => undefined)
  if (root === undefined || !(await stat(root)).isDirectory()) throw refuse(dir, 'expected a folder')
  const found = await findFiles(root)
  const bytes = found.reduce((sum, file) => sum + file.bytes, 0)
  if (bytes > pushBytesMax) {
    throw new Refusal('request_too_large', {
      message: `the workspace has ${bytes} bytes; at most ${pushBytesMax} are taken`,
    })
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const files = new Map<string, string>()
  for (const { path, location } of found.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const content = await readFile(location)
    try {
      files.set(path, decoder.decode(content))
    } catch {
      throw refuse(path, 'is not UTF-8 text')
    }
  }
  await loadPacks(root, files)
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}
