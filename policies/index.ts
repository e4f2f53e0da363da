/**
 * The policy language: what is written in a workspace, compiled to a version, and evaluated in the sandbox.
 * Build side (CLI, control plane): `loadWorkspaceFolder`, `loadCatalogue`, `buildVersion`, `runCases`, `buildWarm`.
 * Run side (gateway, explain): `createEngine`, `Engine`, `Program`, `verifyVectors`, `detectors`.
 */
export { buildWarm } from './apart/build-apart.ts'
export { type ComparedVersions, compareWarm } from './apart/compare-apart.ts'
export type { ComparedSources } from './apart/tasks.ts'
export { WarmThread } from './apart/warm-thread.ts'
export { backtestLines } from './backtest/backtest-lines.ts'
export { type BacktestReport, backtestReport } from './backtest/backtest-report.ts'
export { Backtester, type BacktestVersions } from './backtest/backtester.ts'
export { readExportedRecord } from './backtest/exported-lines.ts'
export { lineBatches, linesOf } from './backtest/line-batches.ts'
export { changeSpan, usdSpan, usdText } from './backtest/money-text.ts'
export { type BacktestOptions, runBacktest } from './backtest/run-backtest.ts'
export type { Tally } from './backtest/tally.ts'
export type { Thresholds } from './backtest/thresholds.ts'
export { WhatIf, type WhatIfReport, type WhatIfSum } from './backtest/what-if.ts'
export { type NamedPrices, pricesOfVersions } from './backtest/world.ts'
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
export { dataPolicies } from './catalogue/data-policies.ts'
export { type CatalogueIndex, indexCatalogue } from './catalogue/index-catalogue.ts'
export { loadCatalogue, type PinnedCatalogue } from './catalogue/load-catalogue.ts'
export { costOf, picoPerUnit, withOverride } from './catalogue/usage-cost.ts'
export type { AnalysisReport, CostBound, LiftedShare } from './compile/analysis/analyse.ts'
export { type BuildOptions, buildVersion } from './compile/build-version.ts'
export type { BuildResult, BuiltVersion, SourceFiles } from './compile/built-version.ts'
export { sourcesOf } from './compile/policy-sources.ts'
export { detectors } from './detectors/all-detectors.ts'
export type { Detector, Finding, Match, Scan } from './detectors/detector.ts'
export { type DrillPlan, type DrillTarget, drillRoute } from './drills/drill-route.ts'
export { checkGolden } from './drills/unmet-expectations.ts'
export { baseFacts } from './evaluation/base-facts.ts'
export { type Decisive, decisiveRule } from './evaluation/decisive-rule.ts'
export { codeOf as codeOfAction } from './evaluation/guardrail-actions.ts'
export { guardrailFactsOf, type ScreenedText } from './evaluation/guardrail-facts.ts'
export { fitsParam, type ParamDeclarations, paramsOf } from './evaluation/param-values.ts'
export { type RedactedSpan, redactedSpans, redactText } from './evaluation/redaction.ts'
export { verifyVectors } from './evaluation/vectors.ts'
export { describePlan } from './explain/effect-text.ts'
export { type ExplainOptions, explainRecord } from './explain/explain-record.ts'
export { explanationLines, type LineOptions } from './explain/explanation-lines.ts'
export { type ExplainedVersion, isOnPath } from './explain/recompute.ts'
export type { Paint, Tone } from './explain/text-layout.ts'
export { createScan, kindOfScan } from './guardrail-kinds/all-kinds.ts'
export type { CallNames, ReadyScan, StreamHold } from './guardrail-kinds/guardrail-kind.ts'
export { judgeRequest, readJudgement } from './guardrail-kinds/judge.ts'
export { moderationRequest, readModeration } from './guardrail-kinds/moderation.ts'
export { detectorsOf, longerHold, streamNeedOf } from './guardrail-kinds/stream-holds.ts'
export { readWebhook, type WebhookQuestion } from './guardrail-kinds/webhook.ts'
export { formatMutants } from './mutation/format-mutants.ts'
export { type MutationReport, runMutants } from './mutation/run-mutants.ts'
export { planLines, planMarkdown, planMarker } from './plan/plan-lines.ts'
export { type PlanReport, planReport } from './plan/plan-report.ts'
export { type PlanSide, planSide } from './plan/plan-side.ts'
export type {
  Engine,
  EngineLimits,
  Evaluation,
  EvaluationInput,
  GuardrailEvaluation,
  InspectedEvaluation,
  InspectionInput,
  LoadedProgram,
  LoadedWorkspace,
  ModelColumns,
  ParamValue,
  ParamValues,
  Program,
  ScreenInput,
  SwitchedOff,
} from './program.ts'
export { type RenderedMessage, renderPrompt } from './prompts/render-prompt.ts'
export {
  type PropertiesOptions,
  type PropertiesReport,
  runProperties,
} from './properties/run-properties.ts'
export {
  DeciderReader,
  type Deciders,
  type ReleaseReference,
  type ReplayLibrary,
} from './replay/deciders.ts'
export { type ReplayReport, replayLines, replayReport } from './replay/replay-report.ts'
export { type Replay, type ReplayedCall, Replayer } from './replay/replayer.ts'
export { type PublishedSchema, publishedSchemas, schemaText } from './schemas/json-schemas.ts'
export { arrangePlan, type Leg, type Race, type StepLegs, targetsInOrder } from './selection/arrange-plan.ts'
export { hashText } from './selection/draws.ts'
export { replaySelection } from './selection/replay-selection.ts'
export { createEngine } from './start-engine.ts'
export { checkTypes } from './typecheck/check-types.ts'
export { changedBetween, type WatchReport, WatchSession } from './watch/watch-session.ts'
export { refreshEditorFiles, writeEditorFiles, writePythonClient } from './workspace/editor-files.ts'
export { isWorkspacePath, loadWorkspaceFolder } from './workspace/load-folder.ts'
export { type RequiredApprovals, readRequiredApprovals } from './workspace/read-approvals.ts'
export { readRequiredCoverage } from './workspace/read-coverage.ts'
export { readDeclaredTeams } from './workspace/read-teams.ts'
export { writeStarter } from './workspace/write-starter.ts'
