import {
  type BuiltVersion,
  buildWarm,
  type CasesReport,
  coverageProblems,
  type PinnedCatalogue,
  readDeclaredTeams,
  type SourceFiles,
  type WarmThread,
} from '@signalbox/policies'
import {
  type BodyOf,
  deploymentOperations,
  type Problem,
  pushBytesMax,
  Refusal,
  type versionOperations,
} from '@signalbox/sdk/contract'
import { databaseErrorOf } from './db/errors.ts'
import { applyDeclaredTeams } from './declared-teams.ts'
import type { Gate } from './gate.ts'
import { CheckRefusal, type RequestContext } from './handler.ts'
import { checkAuthors, originOf, parentOf } from './push-origin.ts'
import { publishAndAwait } from './read-your-writes.ts'
import {
  type ApprovalTools,
  type Requested,
  requestDeployment,
  requiredApprovals,
} from './rollouts/approvals.ts'
import { withAudit } from './stores/audit.ts'
import { insertAuthorSignatures } from './stores/author-signatures.ts'
import { storeBlobs } from './stores/blobs.ts'
import { listEnvironments } from './stores/environments.ts'
import { insertPush, insertVersion, type VersionRow } from './stores/versions.ts'

export interface PublishTools extends ApprovalTools {
  readonly catalogue: PinnedCatalogue
  /** Builds take a processor and memory each. */
  readonly buildGate: Gate
  /** Of pushes alone. */
  readonly buildThread: WarmThread
}
/** Builds that run and that wait at the same time. */
export const buildLimits = { runningMax: 1, waitingMax: 16 } as const
/** Longer than the slowest honest workspace takes; a hostile one is stopped here. */
export const buildTimeoutMs = 120_000

/** As the schema of a problem has it. */
const problemMessageLengthMax = 4096

type PushRequest = BodyOf<typeof versionOperations.pushVersion>
export interface Pushed {
  readonly version: VersionRow
  readonly created: boolean
  readonly cases: CasesReport
  readonly problems: readonly Problem[]
  /** What became of the deployment that was asked for with it. */
  readonly deployed: (Requested & { readonly pending?: string[] }) | null
}

/** The write path, from the sources of a workspace to the release that its gateways run. */
export async function publishWorkspace(
  tools: PublishTools,
  context: RequestContext,
  request: PushRequest,
): Promise<Pushed> {
  const files = loadSources(request.files)
  const checked = await tools.buildGate(() => build(tools, files, request))
  // A workspace is its node's: who may push and deploy there may push and deploy it.
  const { node } = checked.version.compiled
  context.permit.require(node)
  if (request.environment !== undefined) context.permit.require(node, deploymentOperations.promoteVersion)
  const { row, created } = await storeVersion(tools, context, request, checked)
  const deployed =
    request.environment === undefined
      ? null
      : await deployPushed(tools, context, {
          files,
          row,
          environment: request.environment,
          source: sourceOf(request),
          revision: request.revision,
        })
  const problems = [...checked.problems, ...checked.cases.problems]
  return { version: row, created, cases: checked.cases, problems, deployed }
}

function refuseFile(index: number, what: string): Refusal {
  return new Refusal('invalid_request', {
    message: `files[${index}] ${what}.`,
    param: `files[${index}].path`,
  })
}

/** The sources by path: relative, each once, text that a database can hold, at most 4 MiB together. */
export function loadSources(files: PushRequest['files']): SourceFiles {
  const sources = new Map<string, string>()
  let bytes = 0
  for (const [index, { path, text }] of files.entries()) {
    const parts = path.split('/')
    const odd = parts.some((part) => part === '' || part === '.' || part === '..') || /[\\\0]/.test(path)
    if (odd || !path.isWellFormed()) throw refuseFile(index, 'must have a relative path inside the workspace')
    if (sources.has(path)) throw refuseFile(index, `names ${path} a second time`)
    if (text.includes('\0') || !text.isWellFormed()) throw refuseFile(index, 'is not a text file')
    bytes += Buffer.byteLength(text)
    sources.set(path, text)
  }
  if (bytes > pushBytesMax) {
    throw new Refusal('request_too_large', {
      message: `The sources have ${bytes} bytes; ${pushBytesMax} is the limit.`,
    })
  }
  return sources
}

/**
 * Schema, types, compile, cases, in the thread of pushes: what a workspace makes of them holds up nobody else.
 * @throws CheckRefusal with every problem found, then with every case that failed.
 */
async function build(
  tools: PublishTools,
  files: SourceFiles,
  { digest: expectedDigest, environment }: PushRequest,
): Promise<{ version: BuiltVersion; problems: Problem[]; cases: CasesReport }> {
  const { result, cases } = await buildWarm(tools.buildThread, files, { catalogue: tools.catalogue })
  const { version, problems } = result
  if (version === null || cases === null) throw new CheckRefusal(problems)
  if (expectedDigest !== undefined && expectedDigest !== version.digest) {
    const message = `The sources give ${version.digest} here, but ${expectedDigest} where they were sent from: is the other program of another release?`
    const place = { file: 'signalbox.yaml', line: 1, column: 1 }
    throw new CheckRefusal([{ severity: 'error', code: 'digest_differs', ...place, message }], message)
  }
  return { version, problems, cases: passed(cases, { files, environment }) }
}

/**
 * The cases, all passed. @throws CheckRefusal with each that failed; with the figures where they see less than the
 * environment asks for.
 */
function passed(
  report: CasesReport,
  { files, environment }: { readonly files: SourceFiles; readonly environment: string | undefined },
): CasesReport {
  const failed = report.results.filter((result) => !result.passed)
  const missing = environment === undefined ? [] : coverageProblems(report.coverage, files, environment)
  if (failed.length === 0) {
    const [first] = missing
    if (first === undefined) return report
    throw new CheckRefusal(missing, first.message)
  }
  throw new CheckRefusal(
    failed.map(({ file, line, column, name, message = 'failed' }) => ({
      severity: 'error',
      code: 'case_failed',
      file,
      line,
      column,
      message: `case "${name}": ${message}`.slice(0, problemMessageLengthMax),
    })),
    `${failed.length} of ${report.results.length} cases failed.`,
  )
}

function sourceOf(request: PushRequest): string {
  return request.source ?? 'api'
}

/** Version (once per digest), blobs, push row and audit row in one transaction. */
async function storeVersion(
  tools: PublishTools,
  context: RequestContext,
  request: PushRequest,
  checked: { readonly version: BuiltVersion; readonly problems: Problem[]; readonly cases: CasesReport },
): Promise<{ row: VersionRow; created: boolean }> {
  const { organisationId, actor } = context
  const { digest, manifest, compiled, blobs } = checked.version
  const createdMs = tools.nowMs()
  const { catalogue } = tools
  const all = new Map([...blobs, [catalogue.digest, Buffer.from(catalogue.text, 'utf8')]])
  const parentDigest = await parentOf(tools, context, request)
  await checkAuthors(tools, context, { digest, signatures: request.signatures ?? [] })
  const who = { organisationId, actor, action: 'pushVersion' }
  try {
    return await withAudit(tools, who, async (tx) => {
      await storeBlobs(tx, organisationId, all, createdMs)
      const content = { organisationId, digest, workspace: compiled.name, manifest, compiled, createdMs }
      const { results } = checked.cases
      const problems = [...checked.problems, ...checked.cases.problems]
      const result = await insertVersion(tx, { ...content, cases: results, problems, parentDigest })
      const said = { signatures: request.signatures ?? [], by: actor, createdMs }
      await insertAuthorSignatures(tx, { organisationId, digest }, said)
      const { author = null, message = null } = request
      const { commit, ciRun } = await originOf(tx, context, request)
      const push = { source: sourceOf(request), commit, author, message, ciRun, createdMs }
      await insertPush(tx, { id: tools.newId(), organisationId, digest, by: actor, ...push })
      const { number } = result.row
      const detail = {
        version: number,
        workspace: compiled.name,
        created: result.created,
        source: push.source,
        commit,
      }
      return { result, audit: { object: `version ${digest}`, detail } }
    })
  } catch (error) {
    // 22P05: a policy's own text holds U+0000 behind an escape, which no column of the database takes.
    if (databaseErrorOf(error)?.code !== '22P05') throw error
    throw new Refusal('invalid_request', {
      message: 'The workspace holds the character U+0000.',
      cause: error,
    })
  }
}

/** The teams that the workspace declares first, since one of them may own it; then the deployment. */
async function deployPushed(
  tools: PublishTools,
  context: RequestContext,
  pushed: {
    readonly files: SourceFiles
    readonly row: VersionRow
    readonly environment: string
    readonly source: string
    readonly revision: number | undefined
  },
): Promise<Requested & { pending?: string[] }> {
  const { organisationId, actor } = context
  const { row, environment, source, revision } = pushed
  const who = { organisationId, actor, action: 'pushVersion' }
  const teams = readDeclaredTeams(pushed.files)
  const required = await requiredApprovals(tools, { ...who, environment }, row)
  // Budgets and limits of a file that others have yet to agree to wait with it.
  const grown =
    required.count === 0 && (await applyDeclaredTeams(tools, who, { ownerPath: row.compiled.node, teams }))
  const wanted = { digest: row.digest, candidate: null, shadow: false, source, reason: null }
  const wished = { version: row, wanted, cause: 'push', revision } as const
  const requested = await requestDeployment(tools, { ...who, environment }, wished)
  const pending = await publishAndAwait(tools.stateWriter, context, async () => {
    const places = grown ? await listEnvironments(tools.db, organisationId) : []
    const states = await Promise.all(
      places.map(({ name }) => tools.stateWriter.publishState(organisationId, name)),
    )
    const publication = requested.deployed?.publication ?? null
    return publication === null ? states : [...states, publication]
  })
  return { ...requested, ...pending }
}
