import { createClient } from '@signalbox/sdk'
import { afterAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startPushing, workspaceFile } from '../pushing.ts'
import { workspaceFiles } from '../workspace-files.ts'

const { controlPlane, client } = await startPushing(await createTestDatabase())
afterAll(() => controlPlane.stop())
const environment = 'production'
const guarded = (comment: string, approvals = '1', more: Record<string, string> = {}) =>
  workspaceFiles({
    'signalbox.yaml': `${workspaceFile}environments:\n  production: { approvals: ${approvals} }\n# ${comment}\n`,
    ...more,
  })
async function holder(name: string, role: 'admin' | 'security') {
  const { token } = await client.createToken({ name, role })
  return createClient({ url: controlPlane.url, token })
}
const jane = { person: 'Jane Doe' }

describe('an environment that asks for approvals', () => {
  it('keeps a push waiting until another person agrees', async () => {
    const { deployment } = await client.pushVersion({ files: guarded('first'), environment })
    expect(deployment).toMatchObject({
      ...{ status: 'awaiting_approval', release: 0, cause: 'push' },
      approval: { needed: 1, requestedBy: 'root', decisions: [] },
    })
    const id = deployment?.approval?.id ?? ''
    expect((await client.getStatus({ environment })).environments[0]?.deployments).toEqual([])
    expect(await refusalOf(client.approveDeployment({ id, ...jane }))).toMatchObject({ code: 'forbidden' })
    const other = await holder('reviewer', 'admin')
    const nobody = await refusalOf(other.approveDeployment({ id }))
    expect(nobody).toMatchObject({ code: 'invalid_request', param: 'person' })
    const live = await other.approveDeployment({ id, ...jane, comment: 'fine' })
    expect(live).toMatchObject({
      ...{ status: 'live', by: 'root', cause: 'push' },
      approval: {
        decisions: [{ by: 'reviewer', person: 'Jane Doe', decision: 'approved', comment: 'fine' }],
      },
    })
    expect(await refusalOf(other.approveDeployment({ id, ...jane }))).toMatchObject({ code: 'conflict' })
    const { items } = await client.listAudit({ action: 'approveDeployment' })
    expect(items[0]).toMatchObject({ actor: 'reviewer', detail: { person: 'Jane Doe', agreed: 1 } })
  })

  it('does not let a version in that asks for none itself, nor a rollback to one that never stood there', async () => {
    const { version } = await client.pushVersion({ files: guarded('second', '0') })
    const asked = await client.promoteVersion({ version: `v${version}`, environment, canaryPpm: 50_000 })
    expect(asked).toMatchObject({ status: 'awaiting_approval', candidate: { version, ppm: 50_000 } })
    const back = await refusalOf(client.rollbackDeployment({ environment, to: `v${version}` }))
    expect(back.message).toContain('somebody else must agree first')
    const withdrawn = await client.rejectDeployment({ id: asked.approval?.id ?? '', ...jane })
    expect(withdrawn.status).toBe('rejected')
    expect((await client.listApprovals({ environment })).items.map(({ status }) => status)).toEqual([
      'rejected',
      'live',
    ])
  })

  it('wants the role that it names, and is not agreed to after something else was deployed', async () => {
    const files = guarded('third', '{ count: 1, role: security }')
    const { deployment } = await client.pushVersion({ files, environment })
    const id = deployment?.approval?.id ?? ''
    const admin = await holder('admin', 'admin')
    expect((await refusalOf(admin.approveDeployment({ id, ...jane }))).message).toContain('role security')
    const officer = await holder('officer', 'security')
    const late = await client.pushVersion({ files: guarded('fourth'), environment })
    const other = await admin.approveDeployment({ id: late.deployment?.approval?.id ?? '', ...jane })
    expect(other.status).toBe('live')
    const refusal = await refusalOf(officer.approveDeployment({ id, person: 'Sam' }))
    expect(refusal).toMatchObject({ code: 'conflict' })
    expect(refusal.message).toContain('ask for it again')
  })
})

describe('params', () => {
  const policy = `import { param, route, rule, use } from '@signalbox/policies'

const soft = param.int('soft', { default: 800_000, min: 0, max: 1_000_000 })
export default route('soft', {
  rules: [rule('soft', { when: (f) => f.request.estimate.inputTokens > soft(), then: () => use('smart') })],
})
`
  it('are set at once, with a history of their own, and fit what is declared', async () => {
    const files = workspaceFiles({ 'policies/soft.policy.ts': policy })
    await client.pushVersion({ files, environment: 'staging' })
    const place = { environment: 'staging', name: 'soft' }
    const before = await client.listParams({ environment: 'staging' })
    expect(before.items).toMatchObject([{ name: 'soft', value: 800_000, source: 'default', revision: 0 }])
    const set = await client.setParam({ ...place, value: 750_000, revision: 0 })
    expect(set).toMatchObject({ value: 750_000, source: 'state', revision: 1, by: 'root' })
    expect(await refusalOf(client.setParam({ ...place, value: 1, revision: 0 }))).toMatchObject({
      code: 'conflict',
    })
    const wrong = await refusalOf(client.setParam({ ...place, value: 'many' }))
    expect(wrong.message).toContain('a whole number, at least 0, at most 1000000')
    const unknown = await refusalOf(client.setParam({ environment: 'staging', name: 'hard', value: 1 }))
    expect(unknown.message).toContain('There is: soft')
    await client.setParam({ ...place, value: 700_000 })
    expect(await client.setParam({ ...place, value: null })).toMatchObject({
      value: 800_000,
      source: 'default',
    })
    const { items } = await client.listParamChanges(place)
    expect(items.map(({ value, revision }) => [value, revision])).toEqual([
      [null, 3],
      [700_000, 2],
      [750_000, 1],
    ])
  })
})
