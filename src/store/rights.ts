import type { Queryable } from './database.ts'

export type RightsReport = {
  readonly role: string
  /** Tables are there. */
  readonly migrated: boolean
  /** What this role may do and must not, or must and may not; empty = as DESIGN §5 wants it. */
  readonly problems: readonly string[]
}

/**
 * What the connected role may do to the audit and to the database (DESIGN §5): the engine must be neither superuser nor
 * owner, and may only INSERT audit entries. Read from the server's catalogue, so it holds whatever the configuration says.
 */
export const checkRights = async (db: Queryable): Promise<RightsReport> => {
  const [self] = await db.query<{
    role: string
    superuser: boolean
    bypass: boolean
    creates: boolean
    migrated: boolean
  }>({
    text: `select current_user::text as role, rolsuper as superuser, rolbypassrls as bypass, rolcreaterole or rolcreatedb as creates,
        to_regclass('muster.identity') is not null and to_regclass('audit.entry') is not null as migrated
      from pg_roles where rolname = current_user`,
  })
  if (self === undefined) throw new Error('the server does not know its own current_user')
  const problems: string[] = []
  if (self.superuser) problems.push('is a superuser')
  if (self.bypass) problems.push('may bypass row level security')
  if (self.creates) problems.push('may create roles or databases')
  if (!self.migrated) return { role: self.role, migrated: false, problems }

  const owned = await db.query<{ name: string }>({
    text: `select distinct n.nspname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('muster', 'audit', 'auditor') and pg_has_role(current_user, c.relowner, 'member')
      union select nspname::text from pg_namespace where nspname in ('muster', 'audit', 'auditor') and pg_has_role(current_user, nspowner, 'member')
      order by 1`,
  })
  for (const { name } of owned) problems.push(`owns (or is a member of the owner of) schema ${name} or tables in it`)
  const excess = await db.query<{ relation: string; privilege: string }>({
    text: `select c.oid::regclass::text as relation, p.privilege
      from pg_class c cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p(privilege)
      where c.relnamespace = 'audit'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and not (c.oid = 'audit.entry'::regclass and p.privilege = 'INSERT')
        and (has_table_privilege(c.oid, p.privilege)
          or (p.privilege in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(c.oid, p.privilege)))
      order by 1, 2`,
  })
  for (const { relation, privilege } of excess) problems.push(`has ${privilege} on ${relation}`)
  const [may] = await db.query<{ insert: boolean; create: boolean }>({
    text: `select has_column_privilege('audit.entry', 'bytes', 'INSERT') as insert, has_schema_privilege('audit', 'CREATE') as create`,
  })
  if (may?.insert !== true) problems.push('may not INSERT into audit.entry')
  if (may?.create === true) problems.push('may create objects in schema audit')
  return { role: self.role, migrated: true, problems }
}
