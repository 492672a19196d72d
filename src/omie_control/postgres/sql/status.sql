-- How the server itself stands: for doctor, readiness and the state of the system.

-- name: read()^
-- The server's version, clock, role in replication, and what this database holds.
select current_setting('server_version') as version, now() as now, pg_is_in_recovery() as is_replica,
       current_setting('TimeZone') as timezone, (select max(name) from schema_migrations) as schema_version,
       (select count(*) from pg_inherits join pg_class child on child.oid = inhrelid
         where inhparent = 'process_executions'::regclass
           and right(child.relname, 7) > to_char(now() at time zone 'UTC', 'YYYY_MM')) as months_ahead,
       pg_database_size(current_database()) as database_bytes,
       (select count(*) from pg_stat_activity where datname = current_database()) as connections,
       current_setting('max_connections')::integer as max_connections;

-- name: settings(names)
-- Settings of the server by name, as they hold in this session.
select name, setting from pg_settings where name = any(:names::text[]) order by name;

-- name: oldest_transaction()^
-- The transaction that is open the longest, of those we may see: what a migration or a vacuum waits for.
select pid, usename, application_name, state, extract(epoch from clock_timestamp() - xact_start) as seconds
  from pg_stat_activity
 where xact_start is not null and pid <> pg_backend_pid() and datname = current_database()
 order by xact_start
 limit 1;

-- name: version()$
-- The last migration that this database has seen.
select max(name) from schema_migrations;

-- name: audit_is_shielded()$
-- Whether the login of this session is unable to change what the audit says.
select not (has_table_privilege('audit_events', 'update') or has_table_privilege('audit_events', 'delete')
            or has_table_privilege('audit_events', 'truncate'));
