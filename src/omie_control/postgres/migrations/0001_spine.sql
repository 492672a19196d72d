-- The spine: executions, calls, bodies, configuration, alerts, usage, people, companies, audit, instances.
-- Run as the owner. Roles and rights are not here: grants.sql says them anew after every migration.

create type execution_status as enum
    ('running', 'completed', 'failed', 'timeout', 'cancelled', 'queued', 'awaiting_approval', 'uncertain');
create type alert_severity as enum ('info', 'warning', 'critical');
create type tool_category as enum
    ('sistema', 'organizacional', 'financeiro', 'comercial', 'produtos', 'relatorios');
create type tool_complexity as enum ('basica', 'intermediaria', 'avancada', 'especializada');

-- UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness. Ours, since PostgreSQL 17 has none.
create function uuid7(at timestamptz default clock_timestamp()) returns uuid
    language sql volatile parallel safe
    return encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                    placing substring(int8send((extract(epoch from at) * 1000)::bigint) from 3) from 1 for 6),
            52, 1), 53, 1), 'hex')::uuid;

-- Where an instant begins among UUIDv7s: all bits below the milliseconds are zero. Edge of a partition, bound of a query.
create function uuid7_floor(at timestamptz) returns uuid
    language sql immutable parallel safe
    return encode(substring(int8send((extract(epoch from at) * 1000)::bigint) from 3) || '\x00000000000000000000'::bytea,
                  'hex')::uuid;

create table companies (
    id uuid primary key default uuid7(),
    slug varchar(60) not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'),
    name varchar(200) not null check (name <> ''),
    app_key_hint varchar(20) not null,
    credentials bytea not null,
    credentials_key varchar(64) not null,
    base_url varchar(200),
    is_demo boolean not null default false,
    is_active boolean not null default true,
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column companies.credentials is 'app_key and app_secret, AES-256-GCM under credentials_key, bound to this row';

create table instances (
    id uuid primary key,
    kind varchar(20) not null,
    host varchar(200) not null,
    boot_id varchar(64) not null,
    pid integer not null,
    process_started double precision not null,
    version varchar(40) not null,
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    stopped_at timestamptz
);
create index idx_instances_alive on instances (heartbeat_at) where stopped_at is null;

create table process_executions (
    id uuid not null default uuid7(),
    process_type varchar(100) not null,
    execution_id varchar(100) not null,
    status execution_status not null default 'running',
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    duration_ms integer,
    input_parameters jsonb,
    omie_endpoint varchar(200),
    request_payload jsonb,
    response_status_code integer,
    response_data jsonb,
    error_message text,
    error_code varchar(50),
    user_agent text,
    ip_address inet,
    fastmcp_session_id varchar(100),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    company_id uuid,
    actor varchar(100),
    parent_id uuid,
    instance_id uuid,
    attempt integer not null default 0,
    run_after timestamptz,
    priority smallint not null default 0,
    writes boolean not null default false,
    is_cleaned boolean not null default false,
    category tool_category,
    complexity tool_complexity,
    idempotency_key varchar(200),
    trace_id bytea,
    commitment bytea,
    cancel_reason text,
    primary key (id)
) partition by range (id);
create index idx_process_executions_status on process_executions (status, started_at)
    where status in ('queued', 'awaiting_approval', 'running', 'uncertain');
create index idx_process_executions_type_created on process_executions (process_type, created_at);
create index idx_process_executions_created_at on process_executions (created_at);
create index idx_process_executions_parent on process_executions (parent_id) where parent_id is not null;
comment on column process_executions.cancel_reason is 'somebody asked this running execution to stop, and why';
comment on column process_executions.commitment is 'salted SHA-256 of the clear bodies; the salt is sealed with them';

-- The clear bodies, sealed: what a reveal opens and an erasure deletes.
create table execution_bodies (
    execution_id uuid not null,
    part smallint not null,
    key_id uuid not null,
    sealed bytea not null,
    document_hashes bytea,
    created_at timestamptz not null default now(),
    primary key (execution_id, part)
) partition by range (execution_id);
-- Ciphertext does not shrink: not even try.
alter table execution_bodies alter column sealed set storage external;
comment on column execution_bodies.document_hashes is
    'keyed hashes of the CPFs and CNPJs inside, one after the other: an erasure scans for them';
comment on column execution_bodies.part is '0 the input, sealed before anything leaves; 1 everything known at the end';

-- No foreign key to the execution: it makes the DROP of an old month lock the executions too (decision 0003).
create table omie_api_metrics (
    id bigserial,
    endpoint varchar(200) not null,
    method varchar(10) not null default 'POST',
    response_time_ms integer,
    status_code integer,
    success boolean,
    request_size_bytes integer,
    response_size_bytes integer,
    rate_limit_remaining integer,
    rate_limit_reset_at timestamptz,
    process_execution_id uuid,
    timestamp timestamptz not null default now(),
    company_id uuid,
    fault_code varchar(50),
    primary key (id, timestamp)
) partition by range (timestamp);
create index idx_omie_metrics_endpoint_timestamp on omie_api_metrics (endpoint, timestamp);
create index idx_omie_metrics_success_timestamp on omie_api_metrics (success, timestamp);
create index idx_omie_metrics_execution on omie_api_metrics (process_execution_id);

create table system_configurations (
    id serial primary key,
    config_key varchar(100) not null unique,
    config_value jsonb not null,
    config_type varchar(50) not null check (config_type in ('credentials', 'endpoint', 'threshold', 'feature_flag')),
    is_encrypted boolean not null default false,
    is_active boolean not null default true,
    description text,
    created_by varchar(100),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint credentials_are_ciphertext check (
        config_type <> 'credentials'
        or (is_encrypted
            and jsonb_typeof(config_value) = 'object'
            and config_value ?& array['key_id', 'ciphertext']
            and config_value - array['key_id', 'ciphertext'] = '{}'))
);

create table integration_alerts (
    id bigserial primary key,
    alert_type varchar(50) not null,
    severity alert_severity not null,
    title varchar(200) not null,
    message text,
    context_data jsonb,
    process_execution_id uuid,
    endpoint varchar(200),
    is_resolved boolean not null default false,
    resolved_at timestamptz,
    resolved_by varchar(100),
    created_at timestamptz not null default now()
);
create index idx_alerts_severity_created on integration_alerts (severity, created_at);
create index idx_alerts_unresolved on integration_alerts (created_at) where not is_resolved;

create table tool_usage_analytics (
    id bigserial primary key,
    tool_name varchar(100) not null,
    category tool_category,
    complexity tool_complexity,
    usage_count integer not null default 0,
    total_execution_time_ms bigint not null default 0,
    success_count integer not null default 0,
    error_count integer not null default 0,
    date_key date not null,
    hour_key integer not null check (hour_key between 0 and 23),
    avg_response_time_ms integer,
    success_rate decimal(5, 2),
    unique (tool_name, date_key, hour_key)
);
create index idx_tool_analytics_date_tool on tool_usage_analytics (date_key, tool_name);

-- What each batch of each process adds to the roll-ups; the folder takes it away within a second.
-- subject: 'tool' (a process type) or 'endpoint' (a method of Omie). bucket: one of the 40 of domain/metrics.py.
-- No key: rows are only ever added, and taken away all together.
create table rollup_deltas (
    subject varchar(10) not null check (subject in ('tool', 'endpoint')),
    name varchar(200) not null,
    minute timestamptz not null,
    category tool_category,
    complexity tool_complexity,
    count integer not null,
    success_count integer not null,
    error_count integer not null,
    total_ms bigint not null,
    bucket smallint not null check (bucket between 0 and 39)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

do $$
declare
    buckets text;
    grain text;
begin
    select string_agg(format('b%s integer not null default 0', lpad(n::text, 2, '0')), ', ' order by n)
      into buckets from generate_series(0, 39) n;
    foreach grain in array array['minute', 'hour'] loop
        execute format(
            'create table rollup_%1$ss (
                subject varchar(10) not null, name varchar(200) not null, %1$s timestamptz not null,
                count integer not null default 0, success_count integer not null default 0,
                error_count integer not null default 0, total_ms bigint not null default 0, %2$s,
                primary key (subject, %1$s, name))', grain, buckets);
    end loop;
end $$;

create table data_keys (
    id uuid primary key,
    company_id uuid not null,
    month date not null,
    wrapped bytea not null,
    master_key_id varchar(64) not null,
    created_at timestamptz not null default now(),
    unique (company_id, month)
);
comment on table data_keys is 'one key per company and month, wrapped by the master key; company zero is "no company"';

create table users (
    id uuid primary key default uuid7(),
    username varchar(100) not null unique check (username ~ '^[a-z0-9][a-z0-9._@+-]*$'),
    password_hash text not null,
    role varchar(20) not null check (role in ('viewer', 'operator', 'approver', 'admin', 'agent', 'auditor')),
    companies uuid[],
    is_active boolean not null default true,
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_login_at timestamptz
);

create table web_sessions (
    id uuid primary key,
    token_hash bytea not null unique,
    user_id uuid not null references users (id) on delete cascade,
    csrf_token varchar(64) not null,
    user_agent text,
    ip_address inet,
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index idx_web_sessions_user on web_sessions (user_id) where ended_at is null;

-- Logins that failed, by who and from where; a success clears its row, a day of silence prunes it.
create table login_attempts (
    subject bytea primary key,
    failures integer not null default 0,
    last_at timestamptz not null default now(),
    blocked_until timestamptz
);
comment on column login_attempts.subject is 'sha256 of user name and address';

create table api_tokens (
    id uuid primary key default uuid7(),
    name varchar(100) not null check (name <> ''),
    prefix varchar(16) not null,
    token_hash bytea not null unique,
    role varchar(20) not null check (role in ('viewer', 'operator', 'approver', 'admin', 'agent', 'auditor')),
    companies uuid[],
    default_company uuid references companies (id),
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create table audit_events (
    id uuid primary key default uuid7(),
    at timestamptz not null default clock_timestamp(),
    actor varchar(100) not null,
    action varchar(60) not null,
    outcome varchar(20) not null default 'done' check (outcome in ('done', 'refused', 'failed')),
    object_type varchar(40),
    object_id varchar(100),
    company_id uuid,
    before jsonb,
    after jsonb,
    detail text,
    ip_address inet,
    user_agent text
);
create index idx_audit_events_object on audit_events (object_type, object_id);

create table schedules (
    name varchar(60) primary key,
    every interval not null check (every > interval '0'),
    is_active boolean not null default true,
    next_run_at timestamptz not null default now(),
    last_started_at timestamptz,
    last_ended_at timestamptz,
    last_error text,
    runs bigint not null default 0
);
create index idx_schedules_due on schedules (next_run_at) where is_active;

-- The three tables that are cut by month, and where a month of each begins and ends. Executions and bodies are
-- cut by the instant in their UUIDv7, calls by their timestamp; months are UTC's.
create function partition_edge(parent text, month date) returns text
    language sql stable
    return case parent
        when 'omie_api_metrics' then (month::timestamp at time zone 'UTC')::text
        else uuid7_floor(month::timestamp at time zone 'UTC')::text
    end;

-- Make one month's partition of one table: built aside, then attached, because CREATE TABLE … PARTITION OF would
-- lock out every writer of the table while it waits for the slowest reader.
create function make_partition(parent text, month date, child text) returns void
    language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
    execute format('create table public.%I (like public.%I including all)', child, parent);
    if parent = 'process_executions' then
        execute format('create unique index %I on public.%I (execution_id)',
                       'idx_process_executions_execution_id_' || right(child, 7), child);
    end if;
    execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)', parent, child,
                   public.partition_edge(parent, month),
                   public.partition_edge(parent, (month + interval '1 month')::date));
    perform public.grant_partition(parent, child);
end $$;

-- A batch that lies in one month is written straight into its partition, so the application needs the parent's rights there.
create function grant_partition(parent text, child text) returns void
    language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
    if to_regrole('omie_control_app') is null then
        return;
    end if;
    execute format('grant select, insert, update on public.%I to omie_control_app', child);
    if parent = 'execution_bodies' then
        execute format('grant delete on public.%I to omie_control_app', child);
    end if;
end $$;

-- The partition maker: the one thing of the owner's that the application may ask for. Returns how many it made;
-- rather gives up after two seconds than makes the traffic wait behind it.
create function make_partitions(from_month date, months integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s'
as $$
declare
    month date;
    parent text;
    child text;
    made integer := 0;
begin
    if months not between 1 and 36 then
        raise exception 'months must be between 1 and 36';
    end if;
    perform pg_advisory_xact_lock(hashtext('omie_control.make_partitions'));
    for step in 0 .. months - 1 loop
        month := date_trunc('month', from_month::timestamp) + make_interval(months => step);
        foreach parent in array array['process_executions', 'execution_bodies', 'omie_api_metrics'] loop
            child := parent || to_char(month, '_YYYY_MM');
            if to_regclass('public.' || child) is null then
                perform public.make_partition(parent, month, child);
                made := made + 1;
            end if;
        end loop;
    end loop;
    return made;
end $$;

-- What is left of an old body: of a list how many there were, of a wide or deep object its first fields, of a long
-- text its beginning; each cut is marked with what was there.
create function slim_json(value jsonb, depth integer default 0) returns jsonb
    language plpgsql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp
as $$
declare
    keys text[];
begin
    case jsonb_typeof(value)
        when 'object' then
            keys := array(select jsonb_object_keys(value));
            if depth > 2 and cardinality(keys) > 0 then
                return jsonb_build_object('_resumido', cardinality(keys));
            end if;
            return (select coalesce(jsonb_object_agg(key, public.slim_json(item, depth + 1)), '{}')
                      from jsonb_each(value) as field (key, item) where key = any(keys[:12]))
                   || case when cardinality(keys) > 12 then jsonb_build_object('_resumido', cardinality(keys)) else '{}' end;
        when 'array' then
            if jsonb_array_length(value) > 1 then
                return jsonb_build_array(jsonb_build_object('_resumido', jsonb_array_length(value)));
            end if;
            return (select coalesce(jsonb_agg(public.slim_json(item, depth + 1)), '[]')
                      from jsonb_array_elements(value) as element (item));
        when 'string' then
            if length(value #>> '{}') > 80 then
                return to_jsonb(left(value #>> '{}', 80) || '…');
            end if;
            return value;
        else
            return value;
    end case;
end $$;

-- While an old month is rewritten, its rows do not change: whoever tries is told to try again. The rewriter holds
-- the lock of that table's number; when it dies, the lock is gone and the trigger lets everything pass.
create function refuse_change() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if not pg_try_advisory_xact_lock_shared(hashtextextended('omie_control.rewrite', tg_relid::bigint)) then
        raise exception 'the month % is being rewritten, try again', tg_table_name using errcode = 'serialization_failure';
    end if;
    return coalesce(new, old);
end $$;

select make_partitions((now() at time zone 'UTC' - interval '1 month')::date, 5);

-- The three questions of the dashboard.
create view active_processes as
    select id, execution_id, process_type, status, started_at, company_id, actor, writes
      from process_executions
     where status = 'running' and started_at > now() - interval '1 hour';

create view process_success_rate_24h as
    select process_type,
           count(*) as total_executions,
           count(*) filter (where status = 'completed') as successful,
           round(count(*) filter (where status = 'completed')::decimal / count(*) * 100, 2) as success_rate
      from process_executions
     where created_at > now() - interval '24 hours' and id >= uuid7_floor(now() - interval '25 hours')
     group by process_type;

create view endpoint_performance_1h as
    select endpoint,
           count(*) as requests,
           avg(response_time_ms) as avg_response_time,
           percentile_cont(0.95) within group (order by response_time_ms) as p95_response_time
      from omie_api_metrics
     where timestamp > now() - interval '1 hour'
     group by endpoint;

-- Roll-ups with the tail that is not folded yet: what pages and alert rules read.
do $$
declare
    grain text;
    sums text;
    tail text;
begin
    select string_agg(format('sum(%1$s)::bigint as %1$s', 'b' || lpad(n::text, 2, '0')), ', ' order by n),
           string_agg(format('case when bucket = %s then count else 0 end as b%s', n, lpad(n::text, 2, '0')), ', ' order by n)
      into sums, tail from generate_series(0, 39) n;
    foreach grain in array array['minute', 'hour'] loop
        execute format(
            'create view rollup_%1$ss_now as
             select subject, name, %1$s, sum(count)::bigint as count, sum(success_count)::bigint as success_count,
                    sum(error_count)::bigint as error_count, sum(total_ms)::bigint as total_ms, %2$s
               from (select * from rollup_%1$ss
                     union all
                     select subject, name, date_trunc(''%1$s'', minute), count, success_count, error_count, total_ms, %3$s
                       from rollup_deltas) parts
              group by subject, %1$s, name', grain, sums, tail);
    end loop;
end $$;

create view usage_now as
    select tool_name, max(category) as category, max(complexity) as complexity,
           sum(usage_count)::bigint as usage_count,
           sum(total_execution_time_ms)::bigint as total_execution_time_ms,
           sum(success_count)::bigint as success_count,
           sum(error_count)::bigint as error_count,
           date_key, hour_key,
           round(sum(total_execution_time_ms) / nullif(sum(usage_count), 0))::integer as avg_response_time_ms,
           round(sum(success_count) * 100.0 / nullif(sum(usage_count), 0), 2)::decimal(5, 2) as success_rate
      from (select tool_name, category, complexity, usage_count, total_execution_time_ms, success_count, error_count,
                   date_key, hour_key
              from tool_usage_analytics
            union all
            select name, category, complexity, count, total_ms, success_count, error_count,
                   minute::date, extract(hour from minute)::integer
              from rollup_deltas
             where subject = 'tool') parts
     group by tool_name, date_key, hour_key;
