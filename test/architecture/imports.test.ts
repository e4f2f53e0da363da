import { describe, expect, it } from 'vitest'
import { importsOf, productSources, resolveImport, type SourceFile } from './source-tree.ts'

/** A part of the house: where its files are, and what they may import. First match wins, so narrow parts stand first. */
interface Part {
  readonly name: string
  readonly folder: string
  /** Other parts (by name) whose files may be imported, by path or by door. */
  readonly parts: readonly string[]
  /** Packages of others. */
  readonly packages: readonly string[]
}

const parts: readonly Part[] = [
  { name: 'contract', folder: 'sdk/contract/', parts: [], packages: ['typebox'] },
  {
    name: 'sdk/node',
    folder: 'sdk/node/',
    parts: ['contract'],
    packages: ['ajv', 'typebox', 'pino', 'canonicalize', '@hpke/core'],
  },
  {
    name: 'sdk/browser',
    folder: 'sdk/browser/',
    parts: ['contract', 'sdk/node'],
    packages: [],
  },
  { name: 'sdk generator', folder: 'sdk/generat', parts: ['contract'], packages: [] },
  { name: 'sdk', folder: 'sdk/', parts: [], packages: [] },
  {
    name: 'sandbox',
    folder: 'policies/sandbox/',
    parts: ['contract', 'sdk/node'],
    packages: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync', 'binaryen'],
  },
  { name: 'authoring', folder: 'policies/authoring/', parts: ['contract'], packages: [] },
  {
    name: 'cli',
    folder: 'policies/cli/',
    parts: ['contract', 'sdk/node', 'sdk', 'policies', 'sandbox'],
    packages: ['commander', 'typebox', 'yaml', 'uuid'],
  },
  {
    name: 'policies',
    folder: 'policies/',
    parts: ['contract', 'sdk/node', 'sandbox', 'authoring'],
    packages: [
      'acorn',
      'ajv',
      'esbuild',
      'fast-check',
      're2js',
      'typebox',
      'yaml',
      'canonicalize',
      'typescript',
      '@pydantic/genai-prices',
    ],
  },
  {
    name: 'gateway',
    folder: 'gateway/',
    parts: ['contract', 'sdk/node', 'policies'],
    packages: [
      'ajv',
      'express',
      'typebox',
      'undici',
      '@smithy/eventstream-codec',
      'uuid',
      'ioredis',
      'pino',
      'rate-limiter-flexible',
      'ws',
      '@opentelemetry/',
    ],
  },
  {
    name: 'control-plane',
    folder: 'control-plane/',
    parts: ['contract', 'sdk/node', 'policies'],
    packages: [
      'ajv',
      'drizzle-orm',
      'drizzle-kit',
      'express',
      'jose',
      'openid-client',
      'pg',
      'pino',
      'rate-limiter-flexible',
      'typebox',
      'uuid',
    ],
  },
  {
    name: 'web',
    folder: 'web/',
    // The playground decides in the browser with the engine of the gateway; nothing else of policies/ is for the web.
    parts: ['sdk', 'portable engine'],
    packages: ['lit', 'vite', '@codemirror/', '@lezer/highlight'],
  },
]
/** Doors of our own packages and the part behind each. */
const doors: Readonly<Record<string, string>> = {
  '@signalbox/sdk': 'sdk',
  '@signalbox/sdk/contract': 'contract',
  '@signalbox/sdk/node': 'sdk/node',
  '@signalbox/policies': 'policies',
  '@signalbox/policies/engine': 'portable engine',
  '@signalbox/policies/sandbox': 'sandbox',
}
/** Packages that only one place may import. */
const confined: Readonly<Record<string, RegExp>> = {
  express:
    /^(gateway\/server\.ts|gateway\/doors\/|control-plane\/(app|console|http)[^/]*\.ts|control-plane\/http\/)/,
  'quickjs-emscripten-core': /^policies\/sandbox\//,
  'drizzle-orm': /^control-plane\/(db|stores|documents|postgres)\//,
  pg: /^control-plane\/(db|stores|postgres)\//,
  jose: /^control-plane\/identity\//,
  'openid-client': /^control-plane\/identity\//,
  'rate-limiter-flexible': /^(control-plane\/identity|gateway\/limits)\//,
  ioredis: /^gateway\/redis\//,
  undici: /^gateway\/(upstream|documents|journal)\//,
  '@opentelemetry/': /^gateway\/telemetry\//,
}

/** Where browsers find what is behind a door. */
const browserFiles: Readonly<Record<string, string>> = {
  '@signalbox/sdk': 'sdk/index.ts',
  '@signalbox/sdk/contract': 'sdk/contract/index.ts',
  '@signalbox/sdk/node': 'sdk/browser/index.ts',
  '@signalbox/policies/engine': 'policies/portable-engine.ts',
}

/** What a file imports when it runs: types are gone by then. */
const valueImportsOf = (file: SourceFile): string[] =>
  importsOf({ ...file, text: file.text.replaceAll(/(^|\n)(import|export) type\b[^;]*?from '[^']+'/g, '') })

const partOf = (path: string): Part | undefined => parts.find((part) => path.startsWith(part.folder))

function objectionTo(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) {
    return ['contract', 'authoring', 'web', 'sdk', 'sdk/browser'].includes(partOf(file.path)?.name ?? '')
      ? `${file.path} runs in browsers too and may not import ${specifier}`
      : undefined
  }
  const from = partOf(file.path)
  if (from === undefined) return `${file.path} is in no part of the house`
  const target = resolveImport(file, specifier)
  const to = target === undefined ? doors[specifier] : partOf(target)?.name
  if (to !== undefined) {
    return to === from.name || from.parts.includes(to)
      ? undefined
      : `${file.path} may not import ${specifier} (${to})`
  }
  const allowed = from.packages.some(
    (name) => specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`),
  )
  if (!allowed) return `${file.path} may not import the package ${specifier}`
  for (const [name, place] of Object.entries(confined)) {
    const isIt = specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`)
    if (isIt && !place.test(file.path)) return `${file.path}: ${specifier} is confined to ${place.source}`
  }
  return undefined
}

describe('imports', () => {
  it('follow the table of who may import whom', () => {
    const objections = productSources.flatMap((file) =>
      importsOf(file).flatMap((specifier) => objectionTo(file, specifier) ?? []),
    )
    expect(objections).toEqual([])
  })

  it('lead from the console to nothing that only Node has', () => {
    const byPath = new Map(productSources.map((file) => [file.path, file]))
    const reached = new Set(
      productSources.map(({ path }) => path).filter((path) => /^web\/(?!vite)/.test(path)),
    )
    const offences: string[] = []
    for (const path of reached) {
      const file = byPath.get(path)
      if (file === undefined) continue
      if (/\b(Buffer|process)\.\w/.test(file.text)) offences.push(`${path} uses Buffer or process`)
      for (const specifier of valueImportsOf(file)) {
        if (specifier.startsWith('node:')) offences.push(`${path} imports ${specifier}`)
        const next = resolveImport(file, specifier) ?? browserFiles[specifier]
        if (next !== undefined) reached.add(next)
      }
    }
    expect(reached.has('policies/evaluation/combine.ts')).toBe(true)
    expect(offences).toEqual([])
  })

  it('never let one gateway step import another', () => {
    const steps = productSources.filter((file) => file.path.startsWith('gateway/steps/'))
    const crossing = steps.flatMap((file) =>
      importsOf(file)
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => target?.startsWith('gateway/steps/'))
        .map((target) => `${file.path} imports ${target}`),
    )
    expect(crossing).toEqual([])
  })

  it('never name a provider, dialect or console page from the core', () => {
    const folders = /^(gateway\/providers|gateway\/dialects|web\/pages)\//
    const naming = productSources.flatMap((file) =>
      importsOf(file)
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => target !== undefined && folders.test(target) && !folders.test(file.path))
        .map((target) => `${file.path} imports ${target}`),
    )
    expect(naming).toEqual([])
  })
})
