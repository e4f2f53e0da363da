/**
 * The policy language: what is written in a workspace, compiled to a version, and evaluated in the sandbox.
 * Build side (CLI, control plane): `loadWorkspaceFolder`, `loadCatalogue`, `buildVersion`, `runCases`.
 * Run side (gateway, explain): `createEngine`, `Engine`, `Program`, `verifyVectors`.
 */
export { formatCases, formatCoverage } from './cases/format-cases.ts'
export { junitReport } from './cases/junit-report.ts'
export { columnsOf } from './cases/model-columns.ts'
export { type CasesOptions, type CasesReport, runCases } from './cases/run-cases.ts'
export { type CatalogueIndex, indexCatalogue } from './catalogue/index-catalogue.ts'
export { loadCatalogue, type PinnedCatalogue } from './catalogue/load-catalogue.ts'
export { type BuildOptions, buildVersion } from './compile/build-version.ts'
export type { BuildResult, BuiltVersion, SourceFiles } from './compile/built-version.ts'
export { createEngine } from './engine.ts'
export { baseFacts } from './evaluation/base-facts.ts'
export { fitsParam, type ParamDeclarations, paramsOf } from './evaluation/param-values.ts'
export { verifyVectors } from './evaluation/vectors.ts'
export type {
  Engine,
  EngineLimits,
  Evaluation,
  EvaluationInput,
  GuardrailAction,
  GuardrailEvaluation,
  GuardrailFacts,
  LoadedWorkspace,
  ModelColumns,
  ParamValue,
  ParamValues,
  Program,
} from './program.ts'
export { type PromptTemplate, type PromptVariables, renderPrompt } from './prompts/render-prompt.ts'
export { loadWorkspaceFolder } from './workspace/load-folder.ts'
export { readDeclaredTeams } from './workspace/read-teams.ts'
export { writeStarter } from './workspace/write-starter.ts'
