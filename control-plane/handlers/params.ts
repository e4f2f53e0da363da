import { fitsParam, type ParamDeclarations, paramsOf } from '@signalbox/policies'
import { type ParamDeclaration, Refusal, type ReplyOf, type switchOperations } from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { loadDocuments } from '../stores/documents.ts'
import {
  countParamChanges,
  deployedVersions,
  listParamChanges,
  listParamRows,
  lockParam,
  type ParamRow,
  storeParam,
} from '../stores/params.ts'
import type { VersionRow } from '../stores/versions.ts'
import { requireEnvironment } from './environments.ts'

type Params = Pick<Handlers<typeof switchOperations>, 'listParams' | 'setParam' | 'listParamChanges'>
type ParamView = ReplyOf<typeof switchOperations.setParam>
const listedDefault = 50

function describeDeclaration(declaration: ParamDeclaration): string {
  if (declaration.type === 'bool') return 'true or false'
  if (declaration.type === 'int' || declaration.type === 'ppm') {
    const { type, min, max } = declaration
    const bounds = [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
    return [
      type === 'ppm' ? 'parts per million, 0 to 1000000' : 'a whole number',
      ...bounds.filter(Boolean),
    ].join(', ')
  }
  const what = declaration.type === 'string' ? 'a text' : 'a list of texts'
  return declaration.enum === undefined ? what : `${what} of ${declaration.enum.join(', ')}`
}

/** What a workspace declares; the candidate's declarations count where stable has none of the name. */
function declarationsOf(versions: readonly VersionRow[], workspace: string): ParamDeclarations {
  const own = versions.filter(({ compiled }) => compiled.name === workspace)
  return Object.assign({}, ...own.toReversed().map(({ compiled }) => paramsOf(compiled))) as ParamDeclarations
}

function describeParam(
  of: { readonly environment: string; readonly workspace: string; readonly name: string },
  declaration: ParamDeclaration,
  known: { row: ParamRow | undefined; declared: unknown; revision: number },
): ParamView {
  const { row, declared, revision } = known
  const inState = row !== undefined && fitsParam(declaration, row.value) ? row.value : undefined
  const inFile = fitsParam(declaration, declared) ? declared : undefined
  return {
    ...of,
    value: inState ?? (inFile as ParamView['value'] | undefined) ?? declaration.default,
    source: inState !== undefined ? 'state' : inFile !== undefined ? 'environment' : 'default',
    declaration,
    revision,
    by: row?.updatedBy ?? null,
    changedMs: row?.updatedMs ?? null,
  }
}

/** All params of an environment, by workspace and name. */
async function loadParams(
  { db }: Dependencies,
  organisationId: string,
  environment: string,
): Promise<ParamView[]> {
  const versions = await deployedVersions(db, organisationId, environment)
  const rows = await listParamRows(db, organisationId, environment)
  const changes = await countParamChanges(db, organisationId, environment)
  const workspaces = [...new Set(versions.map(({ compiled }) => compiled.name))].sort()
  return workspaces.flatMap((workspace) => {
    const stable = versions.find(({ compiled }) => compiled.name === workspace)
    const inFile = stable?.compiled.environments[environment]?.params ?? {}
    return Object.entries(declarationsOf(versions, workspace)).map(([name, declaration]) =>
      describeParam({ environment, workspace, name }, declaration, {
        row: rows.find((each) => each.workspace === workspace && each.name === name),
        declared: inFile[name],
        revision: changes.get(`${workspace} ${name}`) ?? 0,
      }),
    )
  })
}

/** The one param that is meant. @throws Refusal `not_found`, `invalid_request` where it could be of several. */
function pickParam(params: readonly ParamView[], name: string, workspace: string | undefined): ParamView {
  const found = params.filter(
    (each) => each.name === name && (workspace === undefined || each.workspace === workspace),
  )
  const [param] = found
  if (param === undefined) {
    const names = [...new Set(params.map((each) => each.name))].join(', ')
    throw new Refusal('not_found', {
      message: `No deployed policy declares a param "${name}". There is: ${names || 'none'}.`,
      param: 'name',
    })
  }
  if (found.length > 1) {
    const names = found.map((each) => each.workspace).join(', ')
    throw new Refusal('invalid_request', {
      message: `Several workspaces have a param "${name}": name one of ${names}.`,
      param: 'workspace',
    })
  }
  return param
}

const setParam =
  (dependencies: Dependencies): Params['setParam'] =>
  async (context: RequestContext, { body }) => {
    const { organisationId, actor } = context
    const { environment, name, value, revision } = body
    await requireEnvironment(dependencies.db, organisationId, environment)
    const before = pickParam(
      await loadParams(dependencies, organisationId, environment),
      name,
      body.workspace,
    )
    if (value !== null && !fitsParam(before.declaration, value)) {
      throw new Refusal('invalid_request', {
        message: `${JSON.stringify(value)} does not fit the param "${name}": ${describeDeclaration(before.declaration)}.`,
        param: 'value',
      })
    }
    const { workspace } = before
    const place = { organisationId, environment, workspace, name }
    await withAudit(dependencies, { organisationId, actor, action: 'setParam' }, async (tx) => {
      const { row, changes, lastSequence } = await lockParam(tx, place)
      if (revision !== undefined && revision !== changes) {
        throw new Refusal('conflict', {
          message: `The param "${name}" was changed by ${row?.updatedBy ?? 'somebody else'} meanwhile (revision ${changes}).`,
          param: 'revision',
        })
      }
      const same = JSON.stringify(row?.value ?? null) === JSON.stringify(value)
      if (same) return { result: undefined, audit: null }
      const [newest] = await loadDocuments(tx, { organisationId, environment, kind: 'state' }, 1)
      const stateSequence = Math.max((newest?.sequence ?? 0) + 1, lastSequence + 1)
      const change = {
        value: value as ParamRow['value'] | null,
        changedMs: dependencies.nowMs(),
        changedBy: actor,
      }
      await storeParam(tx, place, { ...change, stateSequence })
      const detail = { environment, workspace, name, before: row?.value ?? null, after: value }
      return { result: undefined, audit: { object: `param ${workspace}/${name}`, detail } }
    })
    const { stateWriter } = dependencies
    const pending = await publishAndAwait(stateWriter, context, async () => [
      await stateWriter.publishState(organisationId, environment),
    ])
    const after = pickParam(await loadParams(dependencies, organisationId, environment), name, workspace)
    return { ...after, ...pending }
  }

/** Hot values of params. */
export function createParamHandlers(dependencies: Dependencies): Params {
  const { db } = dependencies
  return {
    async listParams({ organisationId }, { query: { environment, workspace } }) {
      await requireEnvironment(db, organisationId, environment)
      const items = await loadParams(dependencies, organisationId, environment)
      return { items: items.filter((each) => workspace === undefined || each.workspace === workspace) }
    },
    setParam: setParam(dependencies),
    async listParamChanges({ organisationId }, { query: { environment, name, limit = listedDefault } }) {
      await requireEnvironment(db, organisationId, environment)
      const rows = await listParamChanges(db, { organisationId, environment, name, limit })
      return {
        items: rows.map(({ workspace, revision, value, changedBy, changedMs, ...row }) => ({
          ...{ environment, workspace, revision, value: value ?? null },
          name: row.name,
          by: changedBy,
          timeMs: changedMs,
        })),
      }
    },
  }
}
