/** A workspace that passes: an alias, a constraint with its case, a route. Texts replace or add files. */
export function workspaceFiles(
  change: Readonly<Record<string, string>> = {},
): { path: string; text: string }[] {
  const files: Record<string, string> = {
    'signalbox.yaml': `name: acme
models:
  smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]
metadata:
  feature: { type: string }
  tier: { enum: [free, paid] }
`,
    'policies/no-free.policy.json': `{
  "kind": "constraint",
  "id": "no-free",
  "onError": "deny",
  "rules": [
    {
      "id": "free",
      "when": { "eq": [{ "fact": "request.metadata.tier", "or": "paid" }, "free"] },
      "then": { "deny": { "code": "TIER_BLOCKED", "http": 403 } }
    }
  ]
}
`,
    'policies/switch.policy.ts': `import { route, rule, use } from '@signalbox/policies'

export default route('switch', {
  rules: [
    rule('polish', {
      when: (f) => f.request.metadata.feature === 'polish',
      then: () => use('anthropic/claude-opus-4-8'),
    }),
  ],
})
`,
    ...change,
  }
  return Object.entries(files).map(([path, text]) => ({ path, text }))
}
