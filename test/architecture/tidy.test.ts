import { describe, expect, it } from 'vitest'
import {
  importsOf,
  productSources,
  resolveImport,
  type SourceFile,
  sources,
  trackedFiles,
} from './source-tree.ts'

const linesMax = 300
/** Tests are tables of cases; a longer one still belongs to one subject. */
const testLinesMax = 500
const functionLinesMax = 60
const columnsMax = 120

/** Files over a limit, each with its reason; the list may only shrink. */
const knownExceptions: Readonly<Record<string, string>> = {}

function offences(files: readonly SourceFile[], pattern: RegExp, except: RegExp = /^$/): string[] {
  return files
    .filter((file) => !except.test(file.path))
    .flatMap((file) =>
      file.lines.flatMap((line, index) =>
        pattern.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : [],
      ),
    )
}

/** Heads of functions, methods and arrow functions with a name, as the formatter writes them. */
const heads = [
  { start: /^(\s*)(?:export )?(?:async )?function\b/, open: /\{$/ },
  {
    start: /^(\s+)(?:static |async |override |get |set |\*)*#?\w+\(/,
    open: /^(?!.*=> \{$).*\)(?:: .+)? \{$/,
  },
  { start: /^(\s*)(?:export )?const \w+ = (?:async )?(?:<.*>)?\((?:$|.*=>)/, open: /=> \{$/ },
] as const
const statement = /^\s*(if|for|while|switch|return|catch|super|await|describe|it|expect)\b/

/** Functions over the limit, by brace matching on formatted source: from the head to the `}` of the same indent. */
function longFunctions(file: SourceFile): string[] {
  return file.lines.flatMap((line, start) => {
    const isHead = !statement.test(line) && /[({]$/.test(line)
    const head = isHead ? heads.find((each) => each.start.test(line)) : undefined
    if (head === undefined) return []
    const indent = head.start.exec(line)?.[1] ?? ''
    const next = file.lines.findIndex(
      (each, at) => at >= start && (head.open.test(each) || (at > start && each.startsWith(`${indent}}`))),
    )
    if (next === -1 || !head.open.test(file.lines[next] ?? '') || next > start + 12) return []
    const end = file.lines.findIndex((each, at) => at > next && each.startsWith(`${indent}}`))
    const length = end - start + 1
    return end !== -1 && length > functionLinesMax ? [`${file.path}:${start + 1} ${length} lines`] : []
  })
}

describe('tidiness', () => {
  it(`keeps files at or under ${linesMax} lines`, () => {
    const maxOf = ({ path }: SourceFile): number => (path.startsWith('test/') ? testLinesMax : linesMax)
    const long = sources.filter(
      (file) => file.lines.length > maxOf(file) + 1 && !(file.path in knownExceptions),
    )
    expect(long.map((file) => `${file.path} ${file.lines.length}`)).toEqual([])
  })

  it('lists no exception that is not needed any more', () => {
    const needed = sources.filter((file) => file.lines.length > linesMax + 1).map((file) => file.path)
    expect(Object.keys(knownExceptions).filter((path) => !needed.includes(path))).toEqual([])
  })

  it(`keeps functions at or under ${functionLinesMax} lines`, () => {
    expect(productSources.flatMap(longFunctions)).toEqual([])
  })

  it(`keeps lines at or under ${columnsMax} columns, texts in quotes and templates of elements apart`, () => {
    const withoutTexts = (line: string): string => line.replaceAll(/(['"`/])(?:\\.|(?!\1).)*\1/g, "''")
    const long = productSources
      .filter((file) => !/^web\/(deployments|pages|ui|playground)\/|^web\/[\w-]+\.ts$/.test(file.path))
      .flatMap((file) =>
        file.lines.flatMap((line, index) =>
          line.length > columnsMax &&
          (withoutTexts(line).length > columnsMax || /^\s*(\/?\*|\/\/)/.test(line))
            ? [`${file.path}:${index + 1} ${line.length}`]
            : [],
        ),
      )
    expect(long).toEqual([])
  })

  it('has no any, no silenced checks, no enum, no decorator', () => {
    expect(
      offences(
        sources,
        /(?<!')[:<,] ?any ?[,;>)\]=|{]|\bas any\b|@ts-(ignore|expect-error|nocheck)|\bas unknown as\b|^\s*(export )?(const )?enum /,
        /^test\/architecture\//,
      ),
    ).toEqual([])
  })

  it('reads the environment only where settings are loaded', () => {
    const allowed = /^(gateway|control-plane|policies\/cli)\/config\.ts$|^test\/|^vitest\.config\.ts$/
    expect(offences(sources, /\bprocess\.env\b/, allowed)).toEqual([])
  })

  it('leaves nothing to be done later', () => {
    expect(
      offences(
        sources,
        // In small letters `todo` is a member of cases; in a comment it is what it always was.
        /\b(TODO|FIXME|XXX)\b|\/[/*]+ *(todo|fixme|xxx)\b|\bnot (yet )?implemented\b/,
        /^test\/architecture\//,
      ),
    ).toEqual([])
  })

  it('skips tests only through needs.ts and focuses none', () => {
    const pattern = /\b(it|test|describe)\.(only|skip|todo)\b|skipIf|runIf/
    expect(offences(sources, pattern, /^test\/(support\/needs\.ts|architecture\/)/)).toEqual([])
  })

  it('has no dead file: each is imported by another, is an entry, or is loaded by folder', () => {
    const imported = new Set(
      sources.flatMap((file) => importsOf(file).map((specifier) => resolveImport(file, specifier))),
    )
    const entry =
      /(^|\/)(main|index|signalbox|generate|build-engine|portable-engine)\.ts$|\.worker\.ts$|^gateway\/(providers|dialects)\/|^policies\/cli\/verbs\/|^policies\/(authoring|runtime)\/|^web\/(pages|vite\.config)|^control-plane\/db\/drizzle\.config\.ts$/
    const spawned = sources.flatMap((file) =>
      [...file.text.matchAll(/new URL\(\s*'([^']+\.ts)'/g)].map(
        (match) => resolveImport(file, match[1] ?? '') ?? '',
      ),
    )
    const dead = productSources.filter(
      (file) => !imported.has(file.path) && !entry.test(file.path) && !spawned.includes(file.path),
    )
    expect(dead.map((file) => file.path)).toEqual([])
  })

  it('has the top level that the design names and nothing else', () => {
    const allowed =
      /^(\.[^/]+|control-plane|gateway|policies|web|sdk|test|package(-lock)?\.json|docker-compose\.yml|Dockerfile|README\.md|LICENSE|tsconfig\.json|vitest\.config\.ts|biome\.json)$/
    const top = new Set(trackedFiles.map((path) => path.split('/')[0] ?? ''))
    expect([...top].filter((name) => !allowed.test(name))).toEqual([])
  })

  it('gives no file a name that says nothing', () => {
    expect(
      trackedFiles.filter((path) =>
        /(^|\/)(utils?|helpers?|common|misc|services?|managers?)(\/|\.ts$)/.test(path),
      ),
    ).toEqual([])
  })
})
