import type { Queryable } from './database.ts'

export type RightsReport = {
  /** The login. */
  readonly role: string
  /** Tables are there. */
  readonly migrated: boolean
  /** What this role may do and must not, or must and may not; empty = as DESIGN §5 wants it. */
  readonly problems: readonly string[]
}

/**
 * What the login is, and what else it could become by SET ROLE, inherited or not: whoever has its password has all of it. A
 * superuser could become everybody, which need not be listed.
 */
const within = `within as materialized (
  select r.*, r.rolname in (session_user, current_user) as own from pg_roles r
  where r.rolname in (session_user, current_user)
    or (pg_has_role(session_user, r.oid, 'member') and not (select rolsuper from pg_roles where rolname = session_user))
    or (pg_has_role(current_user, r.oid, 'member') and not (select rolsuper from pg_roles where rolname = current_user)))`

// Names are looked up in the catalogue: a login that inherits nothing may not even name what lies in the schema.
const log = `log as materialized (select c.oid, c.relnamespace as namespace from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'audit' and c.relname = 'entry')`

type Has = { readonly role: string; readonly own: boolean }

/**
 * What the connected login may do to the audit and to the database (DESIGN §5): the engine must be neither superuser nor
 * owner, and may only INSERT audit entries. Read from the server's catalogue, so it holds whatever the configuration says.
 */
export const checkRights = async (db: Queryable): Promise<RightsReport> => {
  const [self] = await db.query<{ role: string; migrated: boolean }>({
    text: `select session_user::text as role,
        (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where (n.nspname, c.relname) in (('muster', 'identity'), ('audit', 'entry'))) = 2 as migrated`,
  })
  if (self === undefined) throw new Error('the server does not know its own session_user')
  const { role: login, migrated } = self
  const problems: string[] = []
  const has = ({ role, own }: Has, what: string) =>
    problems.push(
      own && role === login ? what : own ? `runs as ${role}, which ${what}` : `could SET ROLE ${role}, which ${what}`,
    )

  const mighty = await db.query<Has & { superuser: boolean; bypass: boolean; creates: boolean }>({
    text: `with ${within} select rolname::text as role, own, rolsuper as superuser, rolbypassrls as bypass, rolcreaterole or rolcreatedb as creates
      from within where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb order by not own, rolname`,
  })
  for (const role of mighty) {
    if (role.superuser) has(role, 'is a superuser')
    if (role.bypass) has(role, 'may bypass row level security')
    if (role.creates) has(role, 'may create roles or databases')
  }
  if (!migrated) return { role: login, migrated, problems }

  const owners = await db.query<Has & { name: string }>({
    text: `with ${within}, owned as (
        select relnamespace as namespace, relowner as owner from pg_class
        union select pronamespace, proowner from pg_proc
        union select typnamespace, typowner from pg_type
        union select oid, nspowner from pg_namespace)
      select distinct n.nspname::text as name, w.rolname::text as role, w.own
      from owned o join pg_namespace n on n.oid = o.namespace join within w on w.oid = o.owner
      where n.nspname in ('muster', 'audit', 'auditor') order by 1, 2`,
  })
  for (const one of owners) has(one, `owns schema ${one.name} or something in it`)

  const excess = await db.query<Has & { relation: string; privileges: string }>({
    text: `with ${within}, ${log}
      select w.rolname::text as role, w.own, c.oid::regclass::text as relation, string_agg(p.privilege, ', ' order by p.privilege) as privileges
      from log cross join within w join pg_class c on c.relnamespace = log.namespace
      cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p(privilege)
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and not w.rolsuper and w.oid <> c.relowner
        and not (c.oid = log.oid and p.privilege = 'INSERT')
        and (has_table_privilege(w.oid, c.oid, p.privilege)
          or (p.privilege in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(w.oid, c.oid, p.privilege)))
      group by 1, 2, c.oid order by not w.own, 1, 3`,
  })
  for (const one of excess) has(one, `has ${one.privileges} on ${one.relation}`)

  const creators = await db.query<Has>({
    text: `with ${within}, ${log} select w.rolname::text as role, w.own from log cross join within w
      where not w.rolsuper and has_schema_privilege(w.oid, log.namespace, 'CREATE') order by 1`,
  })
  for (const one of creators) has(one, 'may create objects in schema audit')
  const [may] = await db.query<{ insert: boolean }>({
    text: `with ${log} select has_schema_privilege(namespace, 'USAGE') and has_column_privilege(oid, 'bytes', 'INSERT') as insert from log`,
  })
  if (may?.insert !== true) problems.push('may not INSERT into audit.entry')
  return { role: login, migrated, problems }
}
