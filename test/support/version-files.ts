import type { Client } from '@signalbox/sdk'

/** The sources of a version with some of them changed: a text replaces or adds a file, null takes it away. */
export async function changedFiles(
  client: Client,
  version: string,
  changes: Readonly<Record<string, ((text: string) => string) | null>>,
): Promise<{ path: string; text: string }[]> {
  const { files } = await client.getVersion({ version })
  const texts = new Map<string, string>()
  for (const { path } of files) texts.set(path, (await client.getVersionFile({ version, path })).text)
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) texts.delete(path)
    else texts.set(path, change(texts.get(path) ?? ''))
  }
  return [...texts].map(([path, text]) => ({ path, text }))
}
