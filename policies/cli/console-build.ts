import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Output } from './output.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
/** What the console is made of. */
const sourceFolders = ['web', 'sdk'] as const
const made: ReadonlySet<string> = new Set(['dist', 'node_modules'])
const buildTimeoutMs = 60_000

function newestMs(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      if (made.has(entry.name)) return 0
      const path = join(folder, entry.name)
      return entry.isDirectory() ? newestMs(path) : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    }),
  )
}

/** Whether `web/dist` of a repository holds the console as its sources have it now. */
export function isConsoleCurrent(root: string): boolean {
  const built = statSync(join(root, 'web/dist/index.html'), { throwIfNoEntry: false })?.mtimeMs
  return built !== undefined && sourceFolders.every((folder) => newestMs(join(root, folder)) <= built)
}

/**
 * Builds the console where that is needed and can be done: not in an image, which has a built one and no builder. That
 * it fails ends nothing; the control plane then says on its page what to do.
 */
export async function buildConsole(output: Output, root: string = repository): Promise<void> {
  const builder = join(root, 'node_modules/vite/bin/vite.js')
  if (!existsSync(builder) || isConsoleCurrent(root)) return
  const failed = await new Promise<string>((resolve) => {
    const args = [builder, 'build', join(root, 'web'), '--logLevel', 'error']
    execFile(process.execPath, args, { cwd: root, timeout: buildTimeoutMs }, (error, _stdout, stderr) =>
      resolve(error === null ? '' : stderr.trim() || error.message),
    )
  })
  if (failed !== '') output.note(`The console was not built: ${failed}`)
}
