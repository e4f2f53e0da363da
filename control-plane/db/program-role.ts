import { Client } from 'pg'

/** What is only ever added to. Changing or deleting a row of these is nobody's business, the program's least of all. */
export const appendOnlyTables = ['audit', 'transfer', 'settlement', 'settlement_void'] as const

const protectedNames = appendOnlyTables.map((name) => `'${name}'`).join(', ')

/**
 * Run by the owner after each migration. The program reads and writes all rows, may only add to the append-only tables,
 * and owns what it makes and drops as days go by: partitioned tables and their parts.
 */
const grantSql = `
do $$
declare
  program text := current_setting('signalbox.program_role');
  found record;
begin
  execute format('grant usage, create on schema public to %I', program);
  execute format('grant usage on schema drizzle to %I', program);
  execute format('grant select on all tables in schema drizzle to %I', program);
  execute format('grant usage, select on all sequences in schema public to %I', program);
  for found in
    select c.relname as name, c.relkind = 'p' or c.relispartition as parted, pg_get_userbyid(c.relowner) as owner
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  loop
    if found.name in (${protectedNames}) then
      execute format('revoke all on table public.%I from %I, public', found.name, program);
      execute format('grant select, insert on table public.%I to %I', found.name, program);
    elsif found.parted then
      if found.owner <> program then execute format('alter table public.%I owner to %I', found.name, program); end if;
    elsif found.owner = current_user then
      execute format('grant select, insert, update, delete on table public.%I to %I', found.name, program);
    end if;
  end loop;
end $$`

/** What the asking role could change all the same: as its owner or a member of it, or by a grant. */
const changeableSql = `
  select string_agg(c.relname, ', ' order by c.relname) as changeable from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relname in (${protectedNames})
    and (pg_has_role(c.relowner, 'member') or has_table_privilege(c.oid, 'update, delete, truncate, trigger'))`

async function whoAmI(client: Client): Promise<{ name: string; isSuper: boolean }> {
  const { rows } = await client.query<{ name: string; isSuper: boolean }>(
    'select rolname as name, rolsuper as "isSuper" from pg_roles where rolname = current_user',
  )
  if (rows[0] === undefined) throw new Error('the database does not say which role this is')
  return rows[0]
}

async function withClient<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'signalbox-roles' })
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/**
 * Gives the role of `programUrl` what the program needs, and nothing that could change ledger or audit; then looks, as
 * that role, whether it holds.
 * @throws Error that says what the role could still change, and why.
 */
export async function restrictProgramRole(ownerUrl: string, programUrl: string): Promise<void> {
  const program = await withClient(programUrl, whoAmI)
  if (program.isSuper) {
    throw new Error(`the role ${program.name} of DATABASE_URL is a superuser: it can change everything`)
  }
  await withClient(ownerUrl, async (client) => {
    const owner = await whoAmI(client)
    if (owner.name === program.name) {
      const message = `DATABASE_URL and DATABASE_OWNER_URL are the same role, ${owner.name}`
      throw new Error(`${message}: give the program one of its own`)
    }
    await client.query('begin')
    await client.query("select set_config('signalbox.program_role', $1, true)", [program.name])
    await client.query(grantSql)
    await client.query('commit')
  })
  await withClient(programUrl, async (client) => {
    const { rows } = await client.query<{ changeable: string | null }>(changeableSql)
    const changeable = rows[0]?.changeable
    if (changeable === null) return
    throw new Error(`the role ${program.name} of DATABASE_URL can still change ${changeable}`)
  })
}
