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
const functionLinesMax = 60
const columnsMax = 110

/** Files over a limit, each with its reason; the list may only shrink. */
const knownExceptions: Readonly<Record<string, string>> = {
  'sdk/contract/operations/access.ts': 'one declarative table',
  'sdk/contract/facts.ts': 'one schema',
}

function offences(files: readonly SourceFile[], pattern: RegExp, except: RegExp = /^$/): string[] {
  return files
    .filter((file) => !except.test(file.path))
    .flatMap((file) =>
      file.lines.flatMap((line, index) =>
        pattern.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : [],
      ),
    )
}

/** Functions by brace matching on formatted source: a head that ends with `{`, up to the `}` of the same indent. */
function longFunctions(file: SourceFile): string[] {
  const head =
    /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\b|(?:static |private |async |\*|get |set |#)*[\w#]+\(|const \w+ = (?:async )?(?:function|\())/
  return file.lines.flatMap((line, start) => {
    const match = head.exec(line)
    if (match === null || /^\s*(if|for|while|switch|return|describe|it)\b/.test(line)) return []
    const indent = match[1] ?? ''
    const open = file.lines.findIndex((each, at) => at >= start && at < start + 12 && each.endsWith('{'))
    if (open === -1) return []
    const end = file.lines.findIndex(
      (each, at) => at > open && (each === `${indent}}` || each.startsWith(`${indent}})`)),
    )
    const length = end - start + 1
    return end !== -1 && length > functionLinesMax ? [`${file.path}:${start + 1} ${length} lines`] : []
  })
}

describe('tidiness', () => {
  it(`keeps files at or under ${linesMax} lines`, () => {
    const long = sources.filter((file) => file.lines.length > linesMax + 1 && !(file.path in knownExceptions))
    expect(long.map((file) => `${file.path} ${file.lines.length}`)).toEqual([])
  })

  it('lists no exception that is not needed any more', () => {
    const needed = sources.filter((file) => file.lines.length > linesMax + 1).map((file) => file.path)
    expect(Object.keys(knownExceptions).filter((path) => !needed.includes(path))).toEqual([])
  })

  it(`keeps functions at or under ${functionLinesMax} lines`, () => {
    expect(productSources.flatMap(longFunctions)).toEqual([])
  })

  it(`keeps lines at or under ${columnsMax} columns`, () => {
    expect(offences(productSources, new RegExp(`^.{${columnsMax + 1},}$`))).toEqual([])
  })

  it('has no any, no silenced checks, no enum, no decorator', () => {
    expect(
      offences(
        sources,
        /(:|<|\bas) any\b|@ts-(ignore|expect-error|nocheck)|\bas unknown as\b|^\s*(export )?(const )?enum /,
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
      offences(sources, /\b(TODO|FIXME|XXX)\b|\bnot (yet )?implemented\b/i, /^test\/architecture\//),
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
      /(^|\/)(main|index|signalbox|generate|build-engine)\.ts$|\.worker\.ts$|^gateway\/(providers|dialects)\/|^policies\/cli\/verbs\/|^policies\/(authoring|runtime)\/|^web\/(pages|vite\.config)|^control-plane\/db\/drizzle\.config\.ts$/
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
