import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'

interface Plugin {
  readonly id: string
}

/**
 * Imports every file of a folder and takes what it exports under `name`; the folder is the list, nothing else is.
 * @throws Error where a file exports no such thing, or one whose id is not the file's name.
 */
export async function loadPlugins<T extends Plugin>(
  folder: URL,
  name: string,
): Promise<ReadonlyMap<string, T>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort()
  const loaded = await Promise.all(
    files.map(async (file) => {
      const id = basename(file, '.ts')
      const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, T | undefined>>
      const plugin = module[name]
      if (plugin === undefined) throw new Error(`${file} does not export "${name}"`)
      if (plugin.id !== id) throw new Error(`${file} exports the ${name} "${plugin.id}"`)
      return [id, plugin] as const
    }),
  )
  return new Map(loaded)
}
