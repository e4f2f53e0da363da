import { parse } from 'yaml'
import type { SourceFiles } from './built-version.ts'
import { workspaceFileName } from './workspace-file.ts'

/** A package of policy code that a workspace lists, at one version. */
export interface Pack {
  readonly name: string
  readonly version: string
  /** Where its files are in the sources: `packs/NAME@VERSION`. */
  readonly folder: string
}
/** What counts of a pack's `package.json`; the rest is not carried. */
export interface PackManifest {
  readonly name?: unknown
  readonly version?: unknown
  readonly main?: unknown
  readonly exports?: unknown
}

export const packFilesMax = 128
export const packBytesMax = 512 * 1024
const packEntry = /^((?:@[^/@]+\/)?[^/@]+)@([^/@]+)$/
/** Conditions of `exports` that are looked at, in the order in which the package has them. */
const conditions = ['signalbox', 'import', 'module', 'default']
const conditionsDepthMax = 4

/** An entry of `packs:`; undefined where it is none. */
export function readPack(entry: unknown): Pack | undefined {
  const match = typeof entry === 'string' ? packEntry.exec(entry) : null
  const [, name, version] = match ?? []
  return name === undefined || version === undefined
    ? undefined
    : { name, version, folder: `packs/${name}@${version}` }
}

/** Packs that a workspace lists; none where `signalbox.yaml` is broken, which is reported where it is read. */
export function packsOf(files: SourceFiles): Pack[] {
  try {
    const { packs } = Object(parse(files.get(workspaceFileName) ?? '', { maxAliasCount: 100 }))
    const entries: unknown[] = Array.isArray(packs) ? packs : []
    return entries.flatMap((entry) => readPack(entry) ?? [])
  } catch {
    return []
  }
}

/** The pack that a specifier names, and what of it: `acme/lib` is `./lib` of `acme`. */
export function packOfSpecifier(
  specifier: string,
  packs: readonly Pack[],
): { pack: Pack; subpath: string } | undefined {
  const pack = packs.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`))
  return pack && { pack, subpath: `.${specifier.slice(pack.name.length)}` }
}

/** The pack that a source file belongs to. */
export function packOfFile(file: string, packs: readonly Pack[]): Pack | undefined {
  return packs.find(({ folder }) => file.startsWith(`${folder}/`))
}

/** The manifest of a pack, from its text; empty where it is none. */
export function readManifest(text: string | undefined): PackManifest {
  try {
    return Object(JSON.parse(text ?? '{}'))
  } catch {
    return {}
  }
}

function targetOf(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || depth > conditionsDepthMax) return undefined
  for (const [condition, inner] of Object.entries(value)) {
    const target = conditions.includes(condition) ? targetOf(inner, depth + 1) : undefined
    if (target !== undefined) return target
  }
  return undefined
}

/** Names that a pack exports, with the file behind each, relative to the pack: `.` → `index.ts`. */
export function packExports({ exports, main }: PackManifest): ReadonlyMap<string, string> {
  if (exports === undefined) {
    return new Map([['.', typeof main === 'string' && main !== '' ? main.replace(/^\.\//, '') : 'index.js']])
  }
  const entries = Object.entries(Object(exports))
  const isMap = typeof exports === 'object' && entries.some(([name]) => name.startsWith('.'))
  const named: [string, unknown][] = isMap ? entries : [['.', exports]]
  const found = named.flatMap(([name, value]) => {
    const target = targetOf(value)
    return target?.startsWith('./') === true && !name.includes('*')
      ? [[name, target.slice('./'.length)] as const]
      : []
  })
  return new Map(found)
}

/** Paths that an import may mean in an extension that was left out, or is that of the code it was made from. */
export function candidatePaths(path: string): string[] {
  return [path, `${path}.ts`, path.replace(/\.js$/, '.ts')].filter((each) => /\.(ts|js|json)$/.test(each))
}
