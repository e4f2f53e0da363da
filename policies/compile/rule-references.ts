import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import type { SourceFiles } from './built-version.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import { DocumentError } from './source-document.ts'
import { parseYamlDocument } from './yaml-document.ts'

const casesFile = /^tests\/.*\.cases\.ya?ml$/

type Checked = Pick<CompiledWorkspace, 'policies' | 'guardrails'>

/** Ids of rules that a file of cases may expect: those of its guardrail, of its policy, or of all policies. */
function rulesOf(compiled: Checked, { guardrail, policy }: { guardrail?: unknown; policy?: unknown }) {
  const asked =
    typeof guardrail === 'string'
      ? compiled.guardrails.filter(({ id }) => id === guardrail)
      : compiled.policies.filter(({ id }) => typeof policy !== 'string' || id === policy)
  return asked.length === 0
    ? undefined
    : new Set(asked.flatMap(({ rules = [] }) => rules.map(({ id }) => id)))
}

/**
 * Warns of rules that cases expect and nothing has. The id of a rule is stable: cases, records and coverage name it,
 * so one that was renamed has to be renamed there too.
 */
export function checkRuleReferences(files: SourceFiles, compiled: Checked, problems: ProblemList): void {
  for (const [file, text] of files) {
    if (!casesFile.test(file)) continue
    try {
      const document = parseYamlDocument(file, text)
      const { guardrail, policy, prompt, cases } = Object(document.value)
      if (prompt !== undefined) continue
      const known = rulesOf(compiled, { guardrail, policy })
      for (const [index, each] of (Array.isArray(cases) ? cases : []).entries()) {
        const rule: unknown = Object(Object(each).expect).rule
        const meant = Object(each).bundle === 'all' ? rulesOf(compiled, {}) : known
        if (typeof rule !== 'string' || rule === '' || meant === undefined || meant.has(rule)) continue
        const where =
          typeof guardrail === 'string'
            ? `the guardrail "${guardrail}" has`
            : typeof policy === 'string'
              ? `the policy "${policy}" has`
              : 'the policies have'
        const message = `${where} no rule "${rule}"${didYouMean(rule, meant)}`
        const finding = { code: 'unknown_rule', severity: 'warning', message } as const
        document.report(problems, ['cases', index, 'expect', 'rule'], finding)
      }
    } catch (error) {
      // Files that do not parse are reported by the cases themselves.
      if (!(error instanceof DocumentError)) throw error
    }
  }
}
