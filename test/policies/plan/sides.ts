import { buildVersion, loadCatalogue, type PlanSide, planSide } from '@signalbox/policies'

export const catalogue = loadCatalogue()
type Files = Readonly<Record<string, string>>

export const workspaceFile = `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY, region: us }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem, region: eu }
models:
  smart: [openai/gpt-5.5]
  cheap: [openai/gpt-5-mini, local/llama3.3]
metadata:
  tier: { enum: [free, paid] }
  feature: { type: string }
  level: { type: integer }
catalogue:
  local/llama3.3: { input: 0, output: 0 }
`
export const policyFile = (kind: string, id: string, rules: unknown[], more: object = {}): Files => ({
  [`policies/${id}.policy.json`]: JSON.stringify({ kind, id, ...more, rules }),
})

/** Builds a workspace as one side of a plan. */
export async function sideOf(files: Files): Promise<PlanSide> {
  const sources = new Map(Object.entries({ 'signalbox.yaml': workspaceFile, ...files }))
  const { problems, version, analysis } = await buildVersion(sources, { catalogue, typeCheck: false })
  if (version === null || analysis === null) throw new Error(JSON.stringify(problems))
  return planSide({ version, analysis }, sources, catalogue)
}
