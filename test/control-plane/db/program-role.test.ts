import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrateDatabase } from '../../../control-plane/db/migrate.ts'
import { appendOnlyTables, restrictProgramRole } from '../../../control-plane/db/program-role.ts'
import { createEmptyDatabase } from '../../support/database.ts'
import { startTestControlPlane } from '../test-control-plane.ts'

const adminUrl = await createEmptyDatabase()
const suffix = new URL(adminUrl).pathname.replaceAll(/\W/g, '')
const owner = `owner_${suffix}`
const program = `program_${suffix}`
const urlOf = (role: string): string =>
  Object.assign(new URL(adminUrl), { username: role, password: role }).href
const [ownerUrl, programUrl] = [urlOf(owner), urlOf(program)]
let admin: Client
let asProgram: Client

beforeAll(async () => {
  admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  for (const role of [owner, program]) await admin.query(`create role ${role} login password '${role}'`)
  await admin.query(`grant ${program} to ${owner}`)
  await admin.query(`alter schema public owner to ${owner}`)
  await admin.query(`grant create on database ${suffix} to ${owner}`)
  await migrateDatabase(ownerUrl)
  await restrictProgramRole(ownerUrl, programUrl)
  asProgram = new Client({ connectionString: programUrl })
  await asProgram.connect()
})
afterAll(async () => {
  await asProgram?.end()
  await admin?.end()
})

describe("the program's role, beside one that owns the tables", () => {
  it.each(appendOnlyTables)('reads %s and cannot change, empty, drop or unlock it', async (table) => {
    await asProgram.query(`select count(*) from ${table}`)
    const column = table === 'audit' ? 'action' : 'organisation_id'
    for (const statement of [
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `drop table ${table}`,
      `alter table ${table} disable trigger append_only`,
      `drop trigger append_only on ${table}`,
      `alter table ${table} owner to ${program}`,
      `set session_replication_role = replica`,
      `set role ${owner}`,
    ]) {
      await expect(asProgram.query(statement), statement).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('is enough for a control plane: it starts, keeps books, and its audit log is whole', async () => {
    const plane = await startTestControlPlane(programUrl)
    try {
      await plane.client.createTeam({ name: 'search' })
      await plane.client.createKey({ team: 'search', name: 'ci' })
      const budget = await plane.client.setBudget({ team: 'search', window: 'month', limit: '1000' })
      await plane.client.overrideBudget({
        id: budget.id,
        limit: '5',
        untilMs: Date.now() + 60_000,
        reason: 'x',
      })
      expect(await plane.client.verifyAudit()).toMatchObject({ broken: null })
      expect((await plane.client.reconcileBudgets()).differences).toEqual([])
    } finally {
      await plane.stop()
    }
  })

  it('may be looked after again and again, by later migrations and beside new partitions', async () => {
    await restrictProgramRole(ownerUrl, programUrl)
    await migrateDatabase(programUrl)
    await asProgram.query('create table record_20200101 (like record including all)')
    await restrictProgramRole(ownerUrl, programUrl)
  })
})

describe('roles that keep nothing from the program', () => {
  it('are refused: the same twice, a superuser, a member of the owner', async () => {
    await expect(restrictProgramRole(ownerUrl, ownerUrl)).rejects.toThrow('are the same role')
    await expect(restrictProgramRole(ownerUrl, adminUrl)).rejects.toThrow('is a superuser')
    const member = `member_${suffix}`
    await admin.query(`create role ${member} login password '${member}' in role ${owner}`)
    await expect(restrictProgramRole(adminUrl, urlOf(member))).rejects.toThrow(
      'can still change audit, settlement, settlement_void, transfer',
    )
  })
})
