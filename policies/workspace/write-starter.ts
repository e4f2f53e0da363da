import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Name, Refusal } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'

const starterFolder = fileURLToPath(new URL('../starter', import.meta.url))
/** The starter's own name, on the first line that has one. */
const nameLine = /^name: starter$/m

/** Files of the starter workspace, relative to it, sorted. */
async function starterFiles(): Promise<string[]> {
  const entries = await readdir(starterFolder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(starterFolder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
}

/**
 * Writes the starter workspace into a folder that is empty (a `.git` aside) or not there yet.
 * @returns the files written, relative to the folder.
 * @throws Refusal `already_exists` where something is in the folder, `invalid_request` for a name that is
 *   none.
 */
export async function writeStarter(dir: string, options: { name: string }): Promise<string[]> {
  if (!fits(Name, options.name)) {
    const message = `"${options.name}" is no name: use lower-case letters, digits, ".", "_", "-"; at most 63`
    throw new Refusal('invalid_request', { message, param: 'name' })
  }
  await mkdir(dir, { recursive: true })
  const present = (await readdir(dir)).filter((name) => name !== '.git')
  if (present.length > 0) {
    const some = `${present.slice(0, 3).join(', ')}${present.length > 3 ? ', …' : ''}`
    const message = `${dir} is not empty: it has ${some}`
    throw new Refusal('already_exists', { message })
  }
  const files = await starterFiles()
  for (const file of files) {
    const text = await readFile(join(starterFolder, file), 'utf8')
    await mkdir(dirname(join(dir, file)), { recursive: true })
    const named = file === 'signalbox.yaml' ? text.replace(nameLine, `name: ${options.name}`) : text
    await writeFile(join(dir, file), named, { flag: 'wx' })
  }
  return files
}
