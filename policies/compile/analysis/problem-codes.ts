/** Where a kind of problem is explained in the README of this package: a section of it, or a row of its own. */
interface CodeGroup {
  readonly section: string
  readonly codes: readonly string[]
}
const ownRow = ''
const groups: readonly CodeGroup[] = [
  {
    section: 'the-workspace',
    codes: ['syntax', 'schema', 'unknown_member', 'missing_file', 'path', 'property_schema', 'reserved_name'],
  },
  { section: 'the-workspace', codes: ['unknown_connection', 'unknown_model', 'unpriced_target', 'id'] },
  { section: 'facts', codes: ['unknown_fact', 'optional_fact'] },
  {
    section: 'in-json',
    codes: ['type_mismatch', 'expression', 'unknown_operator', 'effect', 'unknown_effect'],
  },
  { section: 'params', codes: ['unknown_param', 'param'] },
  { section: 'constraint-and-route', codes: ['effect_of_kind'] },
  { section: 'decision', codes: ['unsupported_strategy', 'plan_depth'] },
  { section: 'guardrails', codes: ['unknown_guardrail', 'guardrail'] },
  { section: 'prompts', codes: ['unknown_prompt', 'unknown_variable', 'unused_variable'] },
  { section: 'when-something-fails', codes: ['on_error'] },
  {
    section: 'in-typescript',
    codes: [
      'duplicate_id',
      'default_export',
      'import',
      'dynamic_import',
      'import_meta',
      'module_state',
      'async',
    ],
  },
  { section: 'in-typescript', codes: ['bundle', 'load_failed', 'broken_rule'] },
  {
    section: 'the-sandbox',
    codes: ['sources_too_large', 'script_too_large', 'policy_too_large', 'too_many_targets', 'set_too_large'],
  },
  { section: 'cases', codes: ['case', 'case_failed', 'noCases'] },
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

/** The section that explains a problem, relative to the repository; that of all checks for one without. */
export function linkOf(code: string): string {
  return `${readme}#${anchors.get(code) ?? 'what-check-finds'}`
}
