import type { SourceFiles } from './built-version.ts'
import { type Pack, packBytesMax, packFilesMax, readManifest, readPack } from './packs.ts'
import type { ProblemList } from './problem-list.ts'
import { startOfFile } from './text-position.ts'
import type { ReadWorkspaceFile } from './workspace-file.ts'

const anyPack = /^packs\/((?:@[^/]+\/)?[^/@]+)@([^/]+)\//

/** What is wrong with a pack as it was carried here; the first thing that is. */
function findingOf(pack: Pack, files: SourceFiles): { code: string; message: string } | undefined {
  const { name, version, folder } = pack
  const own = [...files].filter(([path]) => path.startsWith(`${folder}/`))
  const text = files.get(`${folder}/package.json`)
  if (text === undefined) {
    const others = [...files.keys()].flatMap((path) => anyPack.exec(path) ?? [])
    const index = others.indexOf(name)
    const found = index === -1 ? undefined : others[index + 1]
    const message =
      found === undefined
        ? `the pack "${name}@${version}" is not installed; \`npm install --save-exact ${name}@${version}\` beside signalbox.yaml brings it`
        : `signalbox.yaml lists "${name}@${version}", but ${found} is installed; install or list the other`
    return { code: 'pack', message }
  }
  const manifest = readManifest(text)
  if (manifest.name !== name || manifest.version !== version) {
    const is = `${String(manifest.name)}@${String(manifest.version)}`
    return { code: 'pack', message: `what lies in ${folder} calls itself "${is}"` }
  }
  const bytes = own.reduce((sum, [, content]) => sum + Buffer.byteLength(content), 0)
  if (own.length <= packFilesMax && bytes <= packBytesMax) return undefined
  const size = `${own.length} files of ${bytes} bytes`
  const message = `the pack "${name}" has ${size} that are imported; ${packFilesMax} files of ${packBytesMax} bytes are allowed`
  return { code: 'pack_too_large', message }
}

/** Checks that the packs a workspace lists are there, at their versions, and that nothing else came with them. */
export function checkPacks(
  { workspace, document }: ReadWorkspaceFile,
  files: SourceFiles,
  problems: ProblemList,
): void {
  const listed = new Map<string, Pack>()
  for (const [index, entry] of (workspace.packs ?? []).entries()) {
    const pack = readPack(entry)
    if (pack === undefined) continue
    const finding = listed.has(pack.name)
      ? { code: 'pack', message: `the pack "${pack.name}" is listed twice` }
      : findingOf(pack, files)
    listed.set(pack.name, listed.get(pack.name) ?? pack)
    if (finding !== undefined) document.report(problems, ['packs', index], finding)
  }
  for (const path of files.keys()) {
    if (!path.startsWith('packs/')) continue
    const [, name = '', version] = anyPack.exec(path) ?? []
    const pack = listed.get(name)
    // The manifest of another version came along to tell which one is installed.
    if (pack !== undefined && (pack.version === version || path.endsWith('/package.json'))) continue
    const message = 'this file belongs to no pack that signalbox.yaml lists'
    problems.add(path, startOfFile, { code: 'pack', message })
  }
}
