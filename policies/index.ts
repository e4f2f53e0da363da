/**
 * The policy language: what is written in a workspace, compiled to a version, and evaluated in the sandbox.
 * Build side (CLI, control plane): `loadWorkspaceFolder`, `loadCatalogue`, `buildVersion`, `runCases`, `buildApart`.
 * Run side (gateway, explain): `createEngine`, `Engine`, `Program`, `verifyVectors`, `detectors`.
 */
export { buildApart, buildWarm } from './apart/build-apart.ts'
export { WarmThread } from './apart/warm-thread.ts'
export type { PolicyCoverage } from './cases/coverage.ts'
export {
  type CoverageThresholds,
  coverageMetrics,
  shortfalls,
  uncovered,
} from './cases/coverage-figures.ts'
export { coverageProblems } from './cases/coverage-gate.ts'
export { formatCases } from './cases/format-cases.ts'
export { formatCoverage } from './cases/format-coverage.ts'
export { formatFuel } from './cases/format-fuel.ts'
export { junitReport } from './cases/junit-report.ts'
export { columnsOf } from './cases/model-columns.ts'
export { type CasesOptions, type CasesReport, runCases } from './cases/run-cases.ts'
export { type CatalogueIndex, indexCatalogue } from './catalogue/index-catalogue.ts'
export { loadCatalogue, type PinnedCatalogue } from './catalogue/load-catalogue.ts'
export type { AnalysisReport, CostBound, LiftedShare } from './compile/analysis/analyse.ts'
export { type BuildOptions, buildVersion } from './compile/build-version.ts'
export type { BuildResult, BuiltVersion, SourceFiles } from './compile/built-version.ts'
export { sourcesOf } from './compile/policy-sources.ts'
export { detectors } from './detectors/all-detectors.ts'
export type { Detector, Finding, Match, Scan } from './detectors/detector.ts'
export { baseFacts } from './evaluation/base-facts.ts'
export { guardrailFactsOf, type ScreenedText } from './evaluation/guardrail-facts.ts'
export { fitsParam, type ParamDeclarations, paramsOf } from './evaluation/param-values.ts'
export { redactedSpans, redactText } from './evaluation/redaction.ts'
export { verifyVectors } from './evaluation/vectors.ts'
export { describePlan } from './explain/effect-text.ts'
export { type ExplainOptions, explainRecord } from './explain/explain-record.ts'
export { explanationLines, type LineOptions } from './explain/explanation-lines.ts'
export { type ExplainedVersion, isOnPath } from './explain/recompute.ts'
export type { Paint, Tone } from './explain/text-layout.ts'
export { formatMutants } from './mutation/format-mutants.ts'
export { type MutationReport, runMutants } from './mutation/run-mutants.ts'
export type {
  Engine,
  EngineLimits,
  Evaluation,
  EvaluationInput,
  GuardrailEvaluation,
  InspectedEvaluation,
  InspectionInput,
  LoadedWorkspace,
  ModelColumns,
  ParamValue,
  ParamValues,
  Program,
  ScreenInput,
} from './program.ts'
export { type RenderedMessage, renderPrompt } from './prompts/render-prompt.ts'
export {
  type PropertiesOptions,
  type PropertiesReport,
  runProperties,
} from './properties/run-properties.ts'
export { type PublishedSchema, publishedSchemas, schemaText } from './schemas/json-schemas.ts'
export { createEngine } from './start-engine.ts'
export { checkTypes } from './typecheck/check-types.ts'
export { changedBetween, type WatchReport, WatchSession } from './watch/watch-session.ts'
export { refreshEditorFiles, writeEditorFiles } from './workspace/editor-files.ts'
export { loadWorkspaceFolder } from './workspace/load-folder.ts'
export { readDeclaredTeams } from './workspace/read-teams.ts'
export { writeStarter } from './workspace/write-starter.ts'
