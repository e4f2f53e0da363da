import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { canonicalJson } from '@signalbox/sdk/node'
import {
  candidatePaths,
  type Pack,
  type PackManifest,
  packBytesMax,
  packExports,
  packFilesMax,
  packOfFile,
  packOfSpecifier,
  packsOf,
  readManifest,
} from '../compile/packs.ts'
import { DocumentError } from '../compile/source-document.ts'
import { parseTsSource } from '../compile/ts-source.ts'

const foldersUpMax = 16
const manifestBytesMax = 256 * 1024

async function readText(path: string, bytesMax: number): Promise<string | undefined> {
  const about = await stat(path).catch(() => undefined)
  if (about?.isFile() !== true || about.size > bytesMax) return undefined
  return readFile(path, 'utf8')
}

/** Where a package is installed as seen from a folder, as Node looks for it. */
async function findInstalled(root: string, name: string): Promise<string | undefined> {
  let folder = root
  for (let up = 0; up < foldersUpMax; up++) {
    const found = await realpath(join(folder, 'node_modules', name)).catch(() => undefined)
    if (found !== undefined) return found
    if (dirname(folder) === folder) return undefined
    folder = dirname(folder)
  }
  return undefined
}

/** What a file imports; nothing where it does not parse, which the compiler reports. */
function importsOf(file: string, text: string): string[] {
  if (!/\.(ts|js)$/.test(file)) return []
  try {
    const { program } = parseTsSource(file, text)
    return program.body.flatMap((node) => {
      const value = 'source' in node ? node.source?.value : undefined
      return typeof value === 'string' ? [value] : []
    })
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    return []
  }
}

/** A pack that is installed. */
interface Installed {
  readonly pack: Pack
  readonly location: string
  readonly manifest: PackManifest
}

/** Follows imports from the workspace into its packs. */
class PackLoader {
  readonly #packs: readonly Pack[]
  readonly #installed = new Map<string, Installed>()
  readonly #files: Map<string, string>
  readonly #sizes = new Map<string, { files: number; bytes: number }>()

  constructor(files: Map<string, string>, packs: readonly Pack[]) {
    this.#files = files
    this.#packs = packs
  }

  async load(root: string): Promise<void> {
    const code = [...this.#files]
    for (const pack of this.#packs) await this.#findPack(root, pack)
    for (const [file, text] of code) await this.#follow(file, text)
  }

  /** Carries what counts of the manifest, also of another version: so the compiler can say which one is there. */
  async #findPack(root: string, pack: Pack): Promise<void> {
    const location = await findInstalled(root, pack.name)
    const text = location && (await readText(join(location, 'package.json'), manifestBytesMax))
    if (location === undefined || text === undefined) return
    const { name, version, main, exports } = readManifest(text)
    const manifest = {
      name,
      version,
      ...(main !== undefined && { main }),
      ...(exports !== undefined && { exports }),
    }
    this.#files.set(`packs/${pack.name}@${String(version)}/package.json`, canonicalJson(manifest))
    if (name === pack.name && version === pack.version) {
      this.#installed.set(pack.folder, { pack, location, manifest })
    }
  }

  async #follow(file: string, text: string): Promise<void> {
    for (const specifier of importsOf(file, text)) {
      const own = packOfFile(file, this.#packs)
      const named = packOfSpecifier(specifier, this.#packs)
      if (named !== undefined) {
        const installed = this.#installed.get(named.pack.folder)
        const path = installed && packExports(installed.manifest).get(named.subpath)
        if (installed !== undefined && path !== undefined) await this.#take(installed, path)
      } else if (own !== undefined && /^\.\.?\//.test(specifier)) {
        const installed = this.#installed.get(own.folder)
        const path = new URL(specifier, `file:///${file.slice(own.folder.length + 1)}`).pathname.slice(1)
        if (installed !== undefined) await this.#take(installed, path)
      }
    }
  }

  /** Takes one file of a pack along, and what it imports; one more than is allowed, so that the compiler sees it. */
  async #take({ pack, location }: Installed, path: string): Promise<void> {
    const size = this.#sizes.get(pack.folder) ?? { files: 1, bytes: 0 }
    for (const candidate of candidatePaths(decodeURIComponent(path))) {
      const file = `${pack.folder}/${candidate}`
      if (this.#files.has(file) || size.files > packFilesMax || size.bytes > packBytesMax) return
      const real = await realpath(join(location, candidate)).catch(() => undefined)
      if (real?.startsWith(location + sep) !== true) continue
      const text = await readText(real, 4 * packBytesMax)
      if (text === undefined) continue
      this.#sizes.set(pack.folder, { files: size.files + 1, bytes: size.bytes + Buffer.byteLength(text) })
      this.#files.set(file, text)
      await this.#follow(file, text)
      return
    }
  }
}

/**
 * Adds the packs that a workspace lists to its files, from the `node_modules` beside it or above: of each its name,
 * version and exports, and the files that policies import, as `packs/NAME@VERSION/…`. Nothing of a pack is run. What
 * is missing or of another version is told by the compiler, which sees the same files everywhere.
 */
export async function loadPacks(root: string, files: Map<string, string>): Promise<void> {
  const packs = packsOf(files)
  if (packs.length > 0) await new PackLoader(files, packs).load(root)
}
