import type { Problem } from '@signalbox/sdk/contract'

/** Where a kind of problem is explained in the README of this package: a section of it, or a row of its own. */
interface CodeGroup {
  readonly section: string
  readonly codes: readonly string[]
}
const ownRow = ''
/** The section that is about files of this kind. */
const ofFile = ':file'
const groups: readonly CodeGroup[] = [
  {
    section: ofFile,
    codes: ['syntax', 'schema', 'unknown_member', 'property_schema', 'reserved_name', 'id'],
  },
  { section: ofFile, codes: ['expression', 'effect', 'unknown_effect', 'duplicate_id'] },
  { section: 'the-workspace', codes: ['missing_file', 'path', 'unknown_connection', 'unknown_model'] },
  { section: 'the-workspace', codes: ['unpriced_target', 'retiring_target'] },
  { section: 'facts', codes: ['unknown_fact', 'optional_fact'] },
  {
    section: 'in-json',
    codes: ['type_mismatch', 'unknown_operator'],
  },
  { section: 'params', codes: ['unknown_param', 'param'] },
  { section: 'constraint-and-route', codes: ['effect_of_kind'] },
  { section: 'decision', codes: ['unsupported_strategy', 'plan_depth'] },
  { section: 'guardrails', codes: ['unknown_guardrail', 'guardrail', 'detectors', 'window'] },
  {
    section: 'prompts',
    codes: ['unknown_prompt', 'unknown_variable', 'unused_variable', 'missing_variable'],
  },
  { section: 'prompts', codes: ['variable_type', 'template', 'optional_variable', 'duplicate_variable'] },
  {
    section: 'prompts',
    codes: ['unknown_partial', 'unused_partial', 'partial', 'partial_cycle', 'prompt_too_large'],
  },
  { section: 'shared-code', codes: ['import_cycle'] },
  { section: 'packs', codes: ['pack', 'pack_too_large'] },
  { section: 'when-something-fails', codes: ['on_error'] },
  {
    section: 'in-typescript',
    codes: ['default_export', 'import', 'dynamic_import', 'import_meta', 'module_state', 'async'],
  },
  { section: 'in-typescript', codes: ['bundle', 'load_failed', 'broken_rule'] },
  {
    section: 'the-sandbox',
    codes: ['sources_too_large', 'script_too_large', 'policy_too_large', 'too_many_targets', 'set_too_large'],
  },
  { section: 'cases', codes: ['case', 'case_failed', 'noCases', 'staleSnapshot'] },
  { section: 'coverage-mutants-fuel', codes: ['uncovered', 'coverage'] },
  { section: 'versions-and-digests', codes: ['digest_differs'] },
  {
    section: ownRow,
    codes: [
      ...[
        'unreachable_rule',
        'shadowed_rule',
        'unreachable_route',
        'always_true',
        'never_true',
        'no_default',
      ],
      ...[
        'no_safe_route',
        'no_fallback',
        'no_candidate_left',
        'alias_emptied',
        'target_removed',
        'plan_emptied',
      ],
      ...[
        'data_policy_conflict',
        'stream_unsafe_guardrail',
        'unknown_provider',
        'unknown_target',
        'absent_global',
      ],
      ...[
        'locale_function',
        'dynamic_fact',
        'fuel_exceeded',
        'fuel_high',
        'memory_exceeded',
        'rule_failed',
        'allow',
        'unknown_code',
        'unused_allow',
      ],
    ],
  },
]
const readme = 'policies/README.md'
const anchors: ReadonlyMap<string, string> = new Map(
  groups.flatMap(({ section, codes }) =>
    codes.map((code) => [code, section === ownRow ? code : section] as const),
  ),
)

/** Codes that have a place in the documentation. */
export const problemCodes: readonly string[] = [...anchors.keys()]

/** Sections about kinds of files, the first that fits. */
const fileSections: readonly (readonly [file: RegExp, section: string])[] = [
  [/^signalbox\.yaml$/, 'the-workspace'],
  [/\.guardrail\.(ts|json)$/, 'guardrails'],
  [/\.prompt\.md$/, 'prompts'],
  [/^tests\/.*\.test\.ts$/, 'properties'],
  [/^tests\//, 'cases'],
  [/^fixtures\//, 'facts'],
  [/^packs\//, 'packs'],
  [/\.policy\.json$/, 'in-json'],
  [/\.ts$/, 'in-typescript'],
]
/** What the type checker says of facts that are not there, or may be missing. */
const aboutFacts = /^TS(2339|2551|2532|18047|18048|2367)$/

function sectionOf({ code, file }: Pick<Problem, 'code' | 'file'>): string {
  const byFile = fileSections.find(([pattern]) => pattern.test(file))?.[1] ?? 'the-workspace'
  if (aboutFacts.test(code) && byFile === 'in-typescript') return 'facts'
  if (/^TS\d/.test(code)) return byFile
  const section = anchors.get(code) ?? 'what-check-finds'
  return section === ofFile ? byFile : section
}

/** The section that explains a problem, relative to the repository; that of all checks for one without. */
export function linkOf(problem: Pick<Problem, 'code' | 'file'>): string {
  return `${readme}#${sectionOf(problem)}`
}
