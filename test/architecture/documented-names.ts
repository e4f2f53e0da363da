import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type FactSchema, hasMembers } from '../../policies/compile/fact-types.ts'
import { root, sources, trackedFiles } from './source-tree.ts'

/** Reads a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** READMEs and everything else that tells people, or a container, which variables there are. */
export const guides: readonly string[] = trackedFiles.filter((path) =>
  /(^|\/)README\.md$|^docker-compose\.yml$|^Dockerfile$|^\.ci\/|^policies\/starter\/\.github\//.test(path),
)
export const readmes: readonly string[] = trackedFiles.filter((path) => path.endsWith('README.md'))

/** All that stands between backticks, code blocks left out. */
export function codeSpans(text: string): ReadonlySet<string> {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return new Set([...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? ''))
}

/** Cells of the rows of every table whose head begins with these titles. A `\|` is no end of a cell. */
export function tableRows(text: string, ...head: readonly string[]): string[][] {
  const rows: string[][] = []
  let wanted = false
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) {
      wanted = false
      continue
    }
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (head.every((title, index) => cells[index] === title)) wanted = true
    else if (wanted && !/^[-|]+$/.test(line.replaceAll(' ', ''))) rows.push(cells)
  }
  return rows
}

/** Names that are not among those there are, as a message of their own. */
export function missingFrom(known: ReadonlySet<string>, names: Iterable<string>, where: string): string[] {
  return [...new Set(names)].filter((name) => !known.has(name)).map((name) => `${where}: ${name}`)
}

/** Settings of a program: field → environment variable, from the table `settings` of its config.ts. */
export function settingsOf(configText: string): ReadonlyMap<string, string> {
  const [, table = ''] = /\nconst settings\b[^=]*= \{\n([\s\S]*?)\n\}\n/.exec(configText) ?? []
  const lines = table.matchAll(/^ {2}(\w+): .*'([A-Z][A-Z0-9_]*)'/gm)
  return new Map([...lines].map(([, field = '', variable = '']) => [field, variable]))
}

/** Variables that only tests and benchmarks read. */
export function testVariables(): ReadonlySet<string> {
  const pattern = /process\.env(?:\.|\[')(SIGNALBOX_[A-Z_]+)/g
  const tests = sources.filter((file) => file.path.startsWith('test/'))
  return new Set(tests.flatMap(({ text }) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')))
}

/** A default as a table shows it: paths without the folder they were resolved against. */
export function shownDefault(value: unknown): string {
  const text = String(value)
  return text.startsWith('/') ? basename(text) : text
}

/** Names of ours in the sources of the gateway's telemetry: `signalbox.call.duration`, `signalbox.metadata.`. */
export function telemetryNames(): ReadonlySet<string> {
  const files = sources.filter((file) => file.path.startsWith('gateway/telemetry/'))
  const pattern = /['"`](signalbox\.[a-z0-9_.]+)/g
  return new Set(files.flatMap(({ text }) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')))
}

/** Paths of a schema as the reference names them: `a.b`, `list[].c`, `open.NAME.d`; lists of objects themselves too. */
export function pathsOf(schema: FactSchema, path = ''): string[] {
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`)
  if (hasMembers(schema)) {
    const named = Object.entries(schema.properties ?? {}).map(
      ([name, member]) => [below(name), member] as const,
    )
    const open = Object.values(schema.patternProperties ?? {}).map(
      (member) => [below('NAME'), member] as const,
    )
    return [...named, ...open].flatMap(([name, member]) => pathsOf(member, name))
  }
  const isListOfObjects = schema.items !== undefined && hasMembers(schema.items)
  return isListOfObjects ? [path, ...pathsOf(schema.items ?? {}, `${path}[]`)] : [path]
}

/** Files that a README prints whole: fenced blocks whose first line names a path. */
export function printedFiles(text: string): ReadonlyMap<string, string> {
  const blocks = text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)
  return new Map([...blocks].map(([, path = '', body = '']) => [path, body]))
}

/** The anchor that a heading gets where READMEs are shown. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const named = [...text.matchAll(/<a id="(\w+)"><\/a>/g)].map(([, id = '']) => id)
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)
  const titles = [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return new Set([...named, ...titles])
}
