import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildVersion, createEngine, loadCatalogue, runCases, runProperties } from '@signalbox/policies'
import {
  apiOperations,
  errorTable,
  Facts,
  type OperationDefinition,
  WorkspaceFile,
} from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { loadConfig as loadControlPlaneConfig } from '../../control-plane/config.ts'
import { loadGatewayConfig } from '../../gateway/config.ts'
import { conventionMetrics, metricNames } from '../../gateway/telemetry/metric-names.ts'
import * as authoring from '../../policies/authoring/index.ts'
import { operators } from '../../policies/compile/expression-checker.ts'
import { factsSchemaOf } from '../../policies/compile/fact-schemas.ts'
import type { FactSchema } from '../../policies/compile/fact-types.ts'
import { effectNames } from '../../policies/evaluation/effect-shape.ts'
import { withDefaults } from '../../policies/sandbox/limits.ts'
import {
  anchorsOf,
  codeSpans,
  guides,
  missingFrom,
  pathsOf,
  printedFiles,
  readmes,
  settingsOf,
  shownDefault,
  tableRows,
  telemetryNames,
  testVariables,
  textOf,
} from './documented-names.ts'
import { sources, trackedFiles } from './source-tree.ts'

const policies = textOf('policies/README.md')
const gateway = textOf('gateway/README.md')
const controlPlane = textOf('control-plane/README.md')
const sdk = textOf('sdk/README.md')
const programs = [
  { name: 'control-plane', readme: controlPlane, config: 'control-plane/config.ts', settingsMin: 10 },
  { name: 'gateway', readme: gateway, config: 'gateway/config.ts', settingsMin: 20 },
  { name: 'policies', readme: policies, config: 'policies/cli/config.ts', settingsMin: 8 },
].map((program) => ({ ...program, settings: settingsOf(textOf(program.config)) }))

/** Rows of the tables of settings; one row may stand for several variables. */
function settingRows(readme: string): { variables: string[]; preset: string }[] {
  return tableRows(readme, 'variable', 'default').map(([names = '', preset = '']) => ({
    variables: [...codeSpans(names)],
    preset,
  }))
}

describe('errors', () => {
  it('stand in sdk/README.md as the contract has them, and no other does', () => {
    const rows = tableRows(sdk, 'code', 'HTTP').map((cells) => cells.join(' | '))
    const wanted = Object.entries(errorTable).map(
      ([code, { status, retryable, message }]) =>
        `\`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${message}`,
    )
    expect(rows).toEqual(wanted)
  })
})

describe('settings', () => {
  for (const { name, readme, settings, settingsMin } of programs) {
    it(`of ${name} stand in its README, each once, and no other does`, () => {
      expect(settings.size).toBeGreaterThanOrEqual(settingsMin)
      const documented = settingRows(readme).flatMap((row) => row.variables)
      expect(documented.toSorted()).toEqual([...settings.values()].toSorted())
    })
  }

  it('have the defaults that the READMEs name', () => {
    const required = { SIGNALBOX_GATEWAY_TOKEN: 'sbg_x', SIGNALBOX_TRUST_ROOT: 'x' }
    const loaded = [loadControlPlaneConfig({}), loadGatewayConfig(required).config]
    const wrong = loaded.flatMap((config, index) => {
      const { settings, readme } = programs[index] ?? { settings: new Map<string, string>(), readme: '' }
      const rows = settingRows(readme)
      // What is worked out of settings has no variable of its own.
      const own = Object.entries(config).filter(([field]) => settings.has(field))
      return own.flatMap(([field, value]) => {
        const variable = settings.get(field) ?? ''
        const preset = rows.find((row) => row.variables.includes(variable))?.preset.replaceAll('`', '')
        const isGiven = variable in required || value === ''
        return isGiven || preset === shownDefault(value) ? [] : [`${variable}: ${preset} is ${String(value)}`]
      })
    })
    expect(wrong).toEqual([])
  })

  it('are all that any guide, container or workflow names', () => {
    const known = new Set([...programs.flatMap(({ settings }) => [...settings.values()]), ...testVariables()])
    const unknown = guides.flatMap((path) => {
      const named = [...textOf(path).matchAll(/\bSIGNALBOX_[A-Z0-9_]*[A-Z0-9]\b/g)].map(([name]) => name)
      const plain = named.map((name) => (known.has(name) ? name : name.replace(/_FILE$/, '')))
      return missingFrom(known, plain, path)
    })
    expect(guides.length).toBeGreaterThan(6)
    expect(unknown).toEqual([])
  })
})

describe('telemetry', () => {
  const isOurs = (name: string): boolean =>
    /^signalbox\.[a-zA-Z0-9_.]+$/.test(name) && !name.endsWith('.yaml')

  it('has every name of ours in gateway/README.md, and the README has no other', () => {
    const names = [...telemetryNames()].map((name) => (name.endsWith('.') ? `${name}NAME` : name))
    const documented = [...codeSpans(gateway)].filter(isOurs)
    expect(names.length).toBeGreaterThan(40)
    expect(documented.toSorted()).toEqual(names.toSorted())
  })

  it('has every metric in the table of metrics, and the table has no other', () => {
    const rows = tableRows(gateway, 'metric').flatMap(([cell = '']) => [...codeSpans(cell)])
    const names = [...Object.values(metricNames), ...Object.values(conventionMetrics['1.41'])]
    expect(rows.toSorted()).toEqual(names.toSorted())
  })
})

describe('commands', () => {
  it('stand in README.md or policies/README.md', () => {
    const text = textOf('README.md') + policies
    const verbs = trackedFiles.flatMap((path) => /^policies\/cli\/verbs\/(.+)\.ts$/.exec(path)?.[1] ?? [])
    expect(verbs.length).toBeGreaterThan(10)
    expect(verbs.filter((verb) => !new RegExp(`signalbox ${verb}\\b`).test(text))).toEqual([])
  })
})

describe('operations', () => {
  it('are all served, and nothing else is', () => {
    const { paths } = JSON.parse(textOf('sdk/openapi.json')) as {
      paths: Record<string, Record<string, { operationId: string }>>
    }
    const served = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((operation) => operation.operationId),
    )
    expect(served.toSorted()).toEqual(Object.keys(apiOperations).toSorted())
  })

  it('stand in control-plane/README.md with request and role', () => {
    const rows = tableRows(controlPlane, 'operation', 'request').map(([id, request, role = '']) =>
      [id, request, /^\w+(, \w+)*/.exec(role)?.[0]].join(' '),
    )
    const wanted = Object.values<OperationDefinition>(apiOperations).map(
      ({ id, method, path, role }) =>
        `\`${id}\` \`${method} ${path}\` ${typeof role === 'string' ? role : role.join(', ')}`,
    )
    expect(rows.toSorted()).toEqual(wanted.toSorted())
  })

  it('work on tables that all stand in control-plane/README.md', () => {
    const tables = sources
      .filter((file) => file.path.startsWith('control-plane/db/tables/'))
      .flatMap((file) => [...file.text.matchAll(/\bpgTable\(\s*'(\w+)'/g)].map((match) => match[1] ?? ''))
    expect(tables.length).toBeGreaterThan(15)
    expect(missingFrom(codeSpans(controlPlane), tables, 'control-plane/README.md')).toEqual([])
  })
})

describe('the policy language', () => {
  it('has every fact in policies/README.md, and the README has no other', () => {
    const models = factsSchemaOf({}).properties?.models ?? {}
    // As plain JSON Schema, without TypeBox's own types.
    const plain: FactSchema = JSON.parse(JSON.stringify(Facts))
    const paths = pathsOf({ ...plain, properties: { ...plain.properties, models } })
    const rows = tableRows(policies, 'path', 'type').flatMap(([cell = '']) => [...codeSpans(cell)])
    expect(paths.length).toBeGreaterThan(60)
    expect(rows.toSorted()).toEqual(paths.toSorted())
  })

  it('has every operator, effect, builder and member of signalbox.yaml in policies/README.md', () => {
    const quoted = (name: string): string => `"${name}"`
    const references: [column: string, names: readonly string[]][] = [
      ['operator', operators.map(quoted)],
      ['effect', effectNames.map(quoted)],
      ['builder', Object.keys(authoring)],
      ['member', Object.keys(WorkspaceFile.properties)],
    ]
    const missing = references.flatMap(([column, names]) => {
      const cells = tableRows(policies, column).map(([cell = '']) => cell)
      const known = new Set(cells.flatMap((cell) => cell.match(/"\w+"|\$?\w+/g) ?? []))
      return missingFrom(known, names, column)
    })
    expect(missing).toEqual([])
  })

  it('has every code of `check` in policies/README.md', () => {
    const codes = sources
      .filter((file) => /^policies\/(compile|cases|typecheck)\//.test(file.path))
      .flatMap((file) => [...file.text.matchAll(/\bcode: '([a-z]\w+)'/g)].map((match) => match[1] ?? ''))
    expect(codes.length).toBeGreaterThan(30)
    expect(missingFrom(codeSpans(policies), codes, 'policies/README.md')).toEqual([])
  })

  it('has the limits of the sandbox in policies/README.md', () => {
    const { fuel, loadFuel, memoryBytes, inputBytes } = withDefaults({})
    const rows = tableRows(policies, 'limit', 'value').map(([, value = '']) => value)
    const wanted = [
      fuel.toLocaleString('en-US'),
      loadFuel.toLocaleString('en-US'),
      `${memoryBytes / 2 ** 20} MiB`,
      `${inputBytes / 2 ** 10} KiB`,
    ]
    expect(wanted.filter((text) => !rows.some((row) => row.startsWith(text)))).toEqual([])
  })

  it('shows the samples in README.md as they are run', () => {
    const shown = printedFiles(textOf('README.md'))
    expect([...shown.keys()].length).toBeGreaterThan(2)
    for (const [path, text] of shown) expect(text, path).toBe(textOf(path))
  })

  it('compiles what policies/README.md prints, and its cases pass', async () => {
    const files = printedFiles(policies)
    const catalogue = loadCatalogue()
    const { problems, version } = await buildVersion(files, { catalogue })
    expect(problems.filter(({ severity }) => severity !== 'note')).toEqual([])
    if (version === null) throw new Error('no problem and no version')
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-documented-'))
    const engine = await createEngine()
    try {
      const report = await runCases(version, files, { engine, catalogue, updateSnapshotsIn: folder })
      expect(report.results.filter((result) => !result.passed)).toEqual([])
      expect(report.passed).toBeGreaterThan(10)
      const properties = await runProperties(version, files, { engine, catalogue })
      expect(properties.results.filter((result) => !result.passed)).toEqual([])
      expect(properties.results.length).toBeGreaterThan(1)
    } finally {
      engine.dispose()
      rmSync(folder, { recursive: true })
    }
  })
})

describe('links', () => {
  it('of READMEs lead to a file, and to a heading in it', () => {
    const broken = readmes.flatMap((path) =>
      [...textOf(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(
        ([link, to = '', anchor]) => {
          const target = to === '' ? path : join(dirname(path), to)
          const found = trackedFiles.includes(target)
          const isThere = found && (anchor === undefined || anchorsOf(textOf(target)).has(anchor))
          return isThere ? [] : [`${path} ${link}`]
        },
      ),
    )
    expect(broken).toEqual([])
  })
})

describe('these checks', () => {
  it('see what is missing, and read what they are meant to read', () => {
    expect(missingFrom(new Set(['a']), ['a', 'b'], 'README.md')).toEqual(['README.md: b'])
    expect(
      tableRows('| code | HTTP |\n|---|---|\n| `a\\|b` | 1 |\n\n| x | y |\n|---|---|\n| z | 2 |', 'code'),
    ).toEqual([['`a\\|b`', '1']])
    expect(settingsOf("\nconst settings: X = {\n  port: integer('A_PORT'),\n}\n")).toEqual(
      new Map([['port', 'A_PORT']]),
    )
    expect([...codeSpans('`a` and\n```\n`b`\n```\n`c`')]).toEqual(['a', 'c'])
    expect([...anchorsOf("## The providers' own bytes, and `more`")]).toEqual([
      'the-providers-own-bytes-and-more',
    ])
  })
})
