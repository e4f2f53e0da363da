import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly link?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
}
const root = fileURLToPath(new URL('../..', import.meta.url))

const heading = `Third-party notices of Signalbox

Signalbox is licensed under the Apache License 2.0. It ships or runs with the software below, each under its own
licence. Programs that come as binaries for the machine's platform: Node.js (MIT and others, see its LICENSE),
PostgreSQL (PostgreSQL Licence), esbuild (MIT), the TypeScript compiler (Apache-2.0). policies/sandbox/engine.wasm is
QuickJS by Fabrice Bellard and Charlie Gordon (MIT), built by quickjs-emscripten (MIT) and changed here: a fuel counter
was inserted.
`

function licenceText(folder: string): string {
  const name = readdirSync(folder).find((each) => /^licen[cs]e(\.|-|$)/i.test(each))
  return name === undefined ? '' : readFileSync(join(folder, name), 'utf8').trim()
}

/** The notices, from the lock file and the licence files of what it names; platform packages stand in the heading. */
export function noticesText(): string {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const isShipped = (path: string, each: LockedPackage): boolean =>
    path.includes('node_modules/') &&
    each.link !== true &&
    each.dev !== true &&
    each.devOptional !== true &&
    each.os === undefined &&
    each.cpu === undefined
  const namesByText = new Map<string, string[]>()
  for (const [path, each] of Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isShipped(path, each)) continue
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const text = licenceText(join(root, path))
    const title = `${name} ${each.version ?? ''} (${each.license ?? 'see its licence'})`
    namesByText.set(text, [...(namesByText.get(text) ?? []), title])
  }
  const parts = [...namesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}`.trim())
  return `${[heading.trim(), ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
