import { type BuildResult, type BuiltVersion, buildVersion, loadCatalogue } from '@signalbox/policies'

export const workspaceFile = `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY }
  anthropic: { provider: anthropic }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem }
models:
  smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]
  cheap: [openai/gpt-5-mini, local/llama3.3]
metadata:
  tier: { enum: [free, paid] }
  feature: { type: string }
  level: { type: integer }
catalogue:
  local/llama3.3: { input: 0, output: 0 }
`

/** Builds a workspace: the usual `signalbox.yaml`, unless another is given, and these files. */
export function build(files: Readonly<Record<string, string>>, typeCheck = false): Promise<BuildResult> {
  const sources = new Map(Object.entries({ 'signalbox.yaml': workspaceFile, ...files }))
  return buildVersion(sources, { catalogue: loadCatalogue(), typeCheck })
}

/** What is wrong with a workspace, as people read it. */
export async function problemsOf(
  files: Readonly<Record<string, string>>,
  typeCheck = false,
): Promise<string[]> {
  const { problems } = await build(files, typeCheck)
  return problems.map(
    ({ severity, file, line, column, message }) =>
      `${file}:${line}:${column} ${severity === 'warning' ? 'warning: ' : ''}${message}`,
  )
}

export async function versionOf(files: Readonly<Record<string, string>>): Promise<BuiltVersion> {
  const { problems, version } = await build(files)
  if (version === null) throw new Error(JSON.stringify(problems, null, 1))
  return version
}

/** Text of an artefact of a version. */
export function artefactOf({ manifest, blobs }: BuiltVersion, path: string): string {
  const digest = manifest.blobs.find((blob) => blob.path === path)?.digest ?? ''
  return Buffer.from(blobs.get(digest) ?? []).toString()
}
