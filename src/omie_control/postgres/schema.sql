-- The schema that all migrations make together. Generated (see catalogue.py), never edited, never run in life.

create type alert_severity as enum ('info', 'warning', 'critical');

create type execution_status as enum ('running', 'completed', 'failed', 'timeout', 'cancelled', 'queued', 'awaiting_approval', 'uncertain');

create type tool_category as enum ('sistema', 'organizacional', 'financeiro', 'comercial', 'produtos', 'relatorios');

create type tool_complexity as enum ('basica', 'intermediaria', 'avancada', 'especializada');

CREATE OR REPLACE FUNCTION public.uuid7(at timestamp with time zone DEFAULT clock_timestamp())
 RETURNS uuid
 LANGUAGE sql
 PARALLEL SAFE
RETURN (encode(set_bit(set_bit(OVERLAY(uuid_send(gen_random_uuid()) PLACING SUBSTRING(int8send(((EXTRACT(epoch FROM at) * (1000)::numeric))::bigint) FROM 3) FROM 1 FOR 6), (52)::bigint, 1), (53)::bigint, 1), 'hex'::text))::uuid
;

CREATE OR REPLACE FUNCTION public.uuid7_floor(at timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (encode((SUBSTRING(int8send(((EXTRACT(epoch FROM at) * (1000)::numeric))::bigint) FROM 3) || '\x00000000000000000000'::bytea), 'hex'::text))::uuid
;

CREATE OR REPLACE FUNCTION public.partition_edge(parent text, month date)
 RETURNS text
 LANGUAGE sql
 STABLE
RETURN CASE parent WHEN 'omie_api_metrics'::text THEN (((month)::timestamp without time zone AT TIME ZONE 'UTC'::text))::text ELSE (uuid7_floor(((month)::timestamp without time zone AT TIME ZONE 'UTC'::text)))::text END
;

CREATE OR REPLACE FUNCTION public.make_partition(parent text, month date, child text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.grant_partition(parent text, child text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
begin
    if to_regrole('omie_control_app') is null then
        return;
    end if;
    execute format('grant select, insert, update on public.%I to omie_control_app', child);
    if parent = 'execution_bodies' then
        execute format('grant delete on public.%I to omie_control_app', child);
    end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.make_partitions(from_month date, months integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.slim_json(value jsonb, depth integer DEFAULT 0)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
    if not pg_try_advisory_xact_lock_shared(hashtextextended('omie_control.rewrite', tg_relid::bigint)) then
        raise exception 'the month % is being rewritten, try again', tg_table_name using errcode = 'serialization_failure';
    end if;
    return coalesce(new, old);
end $function$
;

CREATE OR REPLACE FUNCTION public.note_configuration()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
declare
    was jsonb;
    becomes jsonb;
begin
    if tg_op <> 'INSERT' and old.is_active then
        was := old.config_value;
    end if;
    if tg_op <> 'DELETE' and new.is_active then
        becomes := new.config_value;
    end if;
    if was is distinct from becomes then
        insert into public.configuration_history (config_key, changed_by, before, after)
        values (case when tg_op = 'DELETE' then old.config_key else new.config_key end,
                left(coalesce(nullif(current_setting('omie_control.actor', true), ''), session_user), 100),
                was, becomes);
    end if;
    return null;
end $function$
;

create sequence configuration_history_revision_seq as bigint;

create sequence integration_alerts_id_seq as bigint;

create sequence omie_api_metrics_id_seq as bigint;

create sequence system_configurations_id_seq as integer;

create sequence tool_usage_analytics_id_seq as bigint;

create table api_tokens (
    id uuid not null default uuid7(),
    name character varying(100) not null,
    prefix character varying(16) not null,
    token_hash bytea not null,
    role character varying(20) not null,
    companies uuid[],
    default_company uuid,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    own_role_id uuid,
    not_before timestamp with time zone,
    networks cidr[],
    constraint api_tokens_pkey PRIMARY KEY (id),
    constraint api_tokens_token_hash_key UNIQUE (token_hash),
    constraint api_tokens_name_check CHECK (((name)::text <> ''::text)),
    constraint api_tokens_networks_check CHECK ((cardinality(networks) > 0)),
    constraint api_tokens_own_role_check CHECK (((own_role_id IS NULL) OR ((role)::text = 'viewer'::text))),
    constraint api_tokens_role_check CHECK (((role)::text = ANY ((ARRAY['viewer'::character varying, 'operator'::character varying, 'approver'::character varying, 'admin'::character varying, 'agent'::character varying, 'auditor'::character varying])::text[])))
);

create table audit_events (
    id uuid not null default uuid7(),
    at timestamp with time zone not null default clock_timestamp(),
    actor character varying(100) not null,
    action character varying(60) not null,
    outcome character varying(20) not null default 'done'::character varying,
    object_type character varying(40),
    object_id character varying(100),
    company_id uuid,
    before jsonb,
    after jsonb,
    detail text,
    ip_address inet,
    user_agent text,
    constraint audit_events_pkey PRIMARY KEY (id),
    constraint audit_events_outcome_check CHECK (((outcome)::text = ANY ((ARRAY['done'::character varying, 'refused'::character varying, 'failed'::character varying])::text[])))
);

create table audit_verifications (
    id uuid not null default uuid7(),
    is_full boolean not null,
    started_at timestamp with time zone not null,
    ended_at timestamp with time zone not null default clock_timestamp(),
    first_sequence bigint,
    last_sequence bigint,
    records bigint not null,
    findings integer not null,
    details jsonb,
    constraint audit_verifications_pkey PRIMARY KEY (id)
);

create table companies (
    id uuid not null default uuid7(),
    slug character varying(60) not null,
    name character varying(200) not null,
    app_key_hint character varying(20) not null,
    credentials bytea not null,
    credentials_key character varying(64) not null,
    base_url character varying(200),
    is_demo boolean not null default false,
    is_active boolean not null default true,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    constraint companies_pkey PRIMARY KEY (id),
    constraint companies_slug_key UNIQUE (slug),
    constraint companies_name_check CHECK (((name)::text <> ''::text)),
    constraint companies_slug_check CHECK (((slug)::text ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'::text))
);

create table configuration_history (
    revision bigint not null,
    config_key character varying(100) not null,
    at timestamp with time zone not null default clock_timestamp(),
    changed_by character varying(100) not null,
    before jsonb,
    after jsonb,
    constraint configuration_history_pkey PRIMARY KEY (revision)
);

create table data_keys (
    id uuid not null,
    company_id uuid not null,
    month date not null,
    wrapped bytea not null,
    master_key_id character varying(64) not null,
    created_at timestamp with time zone not null default now(),
    constraint data_keys_pkey PRIMARY KEY (id),
    constraint data_keys_company_id_month_key UNIQUE (company_id, month)
);

create table erasures (
    id uuid not null default uuid7(),
    person_hash bytea not null,
    company_id uuid,
    reason character varying(500) not null,
    requested_by character varying(100) not null,
    requested_at timestamp with time zone not null default clock_timestamp(),
    applied_at timestamp with time zone,
    executions integer not null default 0,
    writes integer not null default 0,
    events integer not null default 0,
    constraint erasures_pkey PRIMARY KEY (id),
    constraint erasures_person_hash_check CHECK ((octet_length(person_hash) = 24)),
    constraint erasures_reason_check CHECK (((reason)::text <> ''::text))
);

create table errands (
    id uuid not null,
    name character varying(100) not null,
    goal text not null,
    actor character varying(100) not null,
    company_id uuid,
    session_id character varying(100),
    opened_at timestamp with time zone not null default clock_timestamp(),
    closed_at timestamp with time zone,
    outcome character varying(20),
    result text,
    constraint errands_pkey PRIMARY KEY (id),
    constraint errands_name_key UNIQUE (name),
    constraint closed_has_an_outcome CHECK (((closed_at IS NULL) = (outcome IS NULL))),
    constraint errands_goal_check CHECK ((goal <> ''::text)),
    constraint errands_outcome_check CHECK (((outcome)::text = ANY ((ARRAY['done'::character varying, 'partial'::character varying, 'given_up'::character varying])::text[])))
);

create table execution_bodies (
    execution_id uuid not null,
    part smallint not null,
    key_id uuid not null,
    sealed bytea not null,
    document_hashes bytea,
    created_at timestamp with time zone not null default now(),
    constraint execution_bodies_pkey PRIMARY KEY (execution_id, part)
) partition by RANGE (execution_id);

create table gate_calls (
    id uuid not null,
    egress character varying(100) not null,
    app_key character varying(64) not null,
    endpoint character varying(200) not null,
    company character varying(60) not null,
    caller character varying(200) not null,
    digest character varying(128) not null,
    entered_at timestamp with time zone not null,
    running_until timestamp with time zone not null,
    counts_until timestamp with time zone not null,
    repeats_until timestamp with time zone not null,
    constraint gate_calls_pkey PRIMARY KEY (id)
);

create table gate_egresses (
    egress character varying(100) not null,
    epoch bigint not null default 0,
    is_fallback boolean not null default false,
    changed_at timestamp with time zone not null default clock_timestamp(),
    constraint gate_egresses_pkey PRIMARY KEY (egress)
);

create table gate_lines (
    egress character varying(100) not null,
    app_key character varying(64) not null,
    endpoint character varying(200) not null,
    company character varying(60) not null,
    errors integer not null default 0,
    opens_at timestamp with time zone,
    patient_at timestamp with time zone,
    paused_until timestamp with time zone,
    busy_runs integer not null default 0,
    lone_until timestamp with time zone,
    changed_at timestamp with time zone not null default clock_timestamp(),
    constraint gate_lines_pkey PRIMARY KEY (egress, app_key, endpoint)
);

create table gate_waiters (
    id uuid not null,
    egress character varying(100) not null,
    app_key character varying(64) not null,
    endpoint character varying(200) not null,
    writes boolean not null,
    company character varying(60) not null,
    caller character varying(200) not null,
    is_background boolean not null,
    asked_at timestamp with time zone not null,
    from_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    constraint gate_waiters_pkey PRIMARY KEY (id)
);

create table idempotency_keys (
    id uuid not null,
    company_id uuid not null,
    process_type character varying(100) not null,
    key character varying(200) not null,
    is_derived boolean not null,
    state character varying(10) not null default 'open'::character varying,
    endpoint character varying(200) not null,
    digest bytea not null,
    code character varying(60),
    execution_id uuid not null,
    execution_name character varying(100) not null,
    claimed_at timestamp with time zone not null default clock_timestamp(),
    ended_at timestamp with time zone,
    expires_at timestamp with time zone not null,
    looked_at timestamp with time zone,
    key_id uuid not null,
    request bytea not null,
    before bytea,
    answer bytea,
    constraint idempotency_keys_pkey PRIMARY KEY (id),
    constraint idempotency_keys_company_id_process_type_key_key UNIQUE (company_id, process_type, key),
    constraint answered_has_an_answer CHECK ((((state)::text <> 'answered'::text) OR (answer IS NOT NULL))),
    constraint idempotency_keys_key_check CHECK (((key)::text <> ''::text)),
    constraint idempotency_keys_state_check CHECK (((state)::text = ANY ((ARRAY['open'::character varying, 'uncertain'::character varying, 'answered'::character varying, 'free'::character varying])::text[])))
);

create table identity_roles (
    id uuid not null default uuid7(),
    claim_value character varying(200) not null,
    role character varying(20) not null,
    own_role_id uuid,
    companies uuid[],
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    constraint identity_roles_pkey PRIMARY KEY (id),
    constraint identity_roles_claim_value_key UNIQUE (claim_value),
    constraint identity_roles_claim_value_check CHECK (((claim_value)::text <> ''::text)),
    constraint identity_roles_own_role_check CHECK (((own_role_id IS NULL) OR ((role)::text = 'viewer'::text))),
    constraint identity_roles_role_check CHECK (((role)::text = ANY ((ARRAY['viewer'::character varying, 'operator'::character varying, 'approver'::character varying, 'admin'::character varying, 'agent'::character varying, 'auditor'::character varying])::text[])))
);

create table index_key (
    is_the_one boolean not null default true,
    wrapped bytea not null,
    master_key_id character varying(64) not null,
    constraint index_key_pkey PRIMARY KEY (is_the_one),
    constraint index_key_is_the_one_check CHECK (is_the_one)
);

create table instances (
    id uuid not null,
    kind character varying(20) not null,
    host character varying(200) not null,
    boot_id character varying(64) not null,
    pid integer not null,
    process_started double precision not null,
    version character varying(40) not null,
    started_at timestamp with time zone not null default now(),
    heartbeat_at timestamp with time zone not null default now(),
    stopped_at timestamp with time zone,
    constraint instances_pkey PRIMARY KEY (id)
);

create table integration_alerts (
    id bigint not null default nextval('integration_alerts_id_seq'::regclass),
    alert_type character varying(50) not null,
    severity alert_severity not null,
    title character varying(200) not null,
    message text,
    context_data jsonb,
    process_execution_id uuid,
    endpoint character varying(200),
    is_resolved boolean not null default false,
    resolved_at timestamp with time zone,
    resolved_by character varying(100),
    created_at timestamp with time zone not null default now(),
    constraint integration_alerts_pkey PRIMARY KEY (id)
);

create table legal_holds (
    id uuid not null default uuid7(),
    person_hash bytea,
    company_id uuid,
    since timestamp with time zone,
    until timestamp with time zone,
    reason character varying(500) not null,
    set_by character varying(100) not null,
    set_at timestamp with time zone not null default clock_timestamp(),
    lifted_by character varying(100),
    lifted_at timestamp with time zone,
    constraint legal_holds_pkey PRIMARY KEY (id),
    constraint holds_something CHECK ((num_nonnulls(person_hash, company_id, since, until) > 0)),
    constraint legal_holds_person_hash_check CHECK ((octet_length(person_hash) = 24)),
    constraint legal_holds_reason_check CHECK (((reason)::text <> ''::text)),
    constraint lifted_by_somebody CHECK (((lifted_by IS NULL) = (lifted_at IS NULL))),
    constraint since_is_before_until CHECK ((since < until))
);

create table login_attempts (
    subject bytea not null,
    failures integer not null default 0,
    last_at timestamp with time zone not null default now(),
    blocked_until timestamp with time zone,
    constraint login_attempts_pkey PRIMARY KEY (subject)
);

create table lookup_lines (
    company_id uuid not null,
    endpoint character varying(200) not null,
    free_at timestamp with time zone not null,
    misses integer not null default 0,
    constraint lookup_lines_pkey PRIMARY KEY (company_id, endpoint)
);

create table master_keys (
    id character varying(64) not null,
    is_current boolean not null,
    created_at timestamp with time zone not null default now(),
    retired_at timestamp with time zone,
    constraint master_keys_pkey PRIMARY KEY (id)
);

create table omie_api_metrics (
    id bigint not null default nextval('omie_api_metrics_id_seq'::regclass),
    endpoint character varying(200) not null,
    method character varying(10) not null default 'POST'::character varying,
    response_time_ms integer,
    status_code integer,
    success boolean,
    request_size_bytes integer,
    response_size_bytes integer,
    rate_limit_remaining integer,
    rate_limit_reset_at timestamp with time zone,
    process_execution_id uuid,
    "timestamp" timestamp with time zone not null default now(),
    company_id uuid,
    fault_code character varying(50),
    constraint omie_api_metrics_pkey PRIMARY KEY (id, "timestamp")
) partition by RANGE ("timestamp");

create table omie_blocks (
    app_key character varying(64) not null,
    company character varying(60) not null,
    endpoint character varying(200) not null,
    noted_at timestamp with time zone not null default clock_timestamp(),
    blocked_until timestamp with time zone not null,
    constraint omie_blocks_pkey PRIMARY KEY (app_key)
);

create table process_executions (
    id uuid not null default uuid7(),
    process_type character varying(100) not null,
    execution_id character varying(100) not null,
    status execution_status not null default 'running'::execution_status,
    started_at timestamp with time zone not null default now(),
    completed_at timestamp with time zone,
    duration_ms integer,
    input_parameters jsonb,
    omie_endpoint character varying(200),
    request_payload jsonb,
    response_status_code integer,
    response_data jsonb,
    error_message text,
    error_code character varying(50),
    user_agent text,
    ip_address inet,
    fastmcp_session_id character varying(100),
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    company_id uuid,
    actor character varying(100),
    parent_id uuid,
    instance_id uuid,
    attempt integer not null default 0,
    run_after timestamp with time zone,
    priority smallint not null default 0,
    writes boolean not null default false,
    is_cleaned boolean not null default false,
    category tool_category,
    complexity tool_complexity,
    idempotency_key character varying(200),
    trace_id bytea,
    commitment bytea,
    cancel_reason text,
    content_hash bytea,
    constraint process_executions_pkey PRIMARY KEY (id)
) partition by RANGE (id);

create table recovery_codes (
    user_id uuid not null,
    code_hash bytea not null,
    created_at timestamp with time zone not null default now(),
    constraint recovery_codes_pkey PRIMARY KEY (user_id, code_hash)
);

create table roles (
    id uuid not null default uuid7(),
    name character varying(40) not null,
    description character varying(200) not null default ''::character varying,
    rights text[] not null,
    categories text[],
    complexities text[],
    is_read_only boolean not null default false,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    constraint roles_pkey PRIMARY KEY (id),
    constraint roles_name_key UNIQUE (name),
    constraint roles_categories_check CHECK ((cardinality(categories) > 0)),
    constraint roles_complexities_check CHECK ((cardinality(complexities) > 0)),
    constraint roles_name_check CHECK ((((name)::text ~ '^[a-z][a-z0-9-]+$'::text) AND ((name)::text <> ALL ((ARRAY['viewer'::character varying, 'operator'::character varying, 'approver'::character varying, 'admin'::character varying, 'agent'::character varying, 'auditor'::character varying])::text[])))),
    constraint roles_rights_check CHECK ((cardinality(rights) > 0))
);

create table rollup_deltas (
    subject character varying(10) not null,
    name character varying(200) not null,
    minute timestamp with time zone not null,
    category tool_category,
    complexity tool_complexity,
    count integer not null,
    success_count integer not null,
    error_count integer not null,
    total_ms bigint not null,
    bucket smallint not null,
    constraint rollup_deltas_bucket_check CHECK (((bucket >= 0) AND (bucket <= 39))),
    constraint rollup_deltas_subject_check CHECK (((subject)::text = ANY ((ARRAY['tool'::character varying, 'endpoint'::character varying])::text[])))
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);

create table rollup_hours (
    subject character varying(10) not null,
    name character varying(200) not null,
    hour timestamp with time zone not null,
    count integer not null default 0,
    success_count integer not null default 0,
    error_count integer not null default 0,
    total_ms bigint not null default 0,
    b00 integer not null default 0,
    b01 integer not null default 0,
    b02 integer not null default 0,
    b03 integer not null default 0,
    b04 integer not null default 0,
    b05 integer not null default 0,
    b06 integer not null default 0,
    b07 integer not null default 0,
    b08 integer not null default 0,
    b09 integer not null default 0,
    b10 integer not null default 0,
    b11 integer not null default 0,
    b12 integer not null default 0,
    b13 integer not null default 0,
    b14 integer not null default 0,
    b15 integer not null default 0,
    b16 integer not null default 0,
    b17 integer not null default 0,
    b18 integer not null default 0,
    b19 integer not null default 0,
    b20 integer not null default 0,
    b21 integer not null default 0,
    b22 integer not null default 0,
    b23 integer not null default 0,
    b24 integer not null default 0,
    b25 integer not null default 0,
    b26 integer not null default 0,
    b27 integer not null default 0,
    b28 integer not null default 0,
    b29 integer not null default 0,
    b30 integer not null default 0,
    b31 integer not null default 0,
    b32 integer not null default 0,
    b33 integer not null default 0,
    b34 integer not null default 0,
    b35 integer not null default 0,
    b36 integer not null default 0,
    b37 integer not null default 0,
    b38 integer not null default 0,
    b39 integer not null default 0,
    constraint rollup_hours_pkey PRIMARY KEY (subject, hour, name)
);

create table rollup_minutes (
    subject character varying(10) not null,
    name character varying(200) not null,
    minute timestamp with time zone not null,
    count integer not null default 0,
    success_count integer not null default 0,
    error_count integer not null default 0,
    total_ms bigint not null default 0,
    b00 integer not null default 0,
    b01 integer not null default 0,
    b02 integer not null default 0,
    b03 integer not null default 0,
    b04 integer not null default 0,
    b05 integer not null default 0,
    b06 integer not null default 0,
    b07 integer not null default 0,
    b08 integer not null default 0,
    b09 integer not null default 0,
    b10 integer not null default 0,
    b11 integer not null default 0,
    b12 integer not null default 0,
    b13 integer not null default 0,
    b14 integer not null default 0,
    b15 integer not null default 0,
    b16 integer not null default 0,
    b17 integer not null default 0,
    b18 integer not null default 0,
    b19 integer not null default 0,
    b20 integer not null default 0,
    b21 integer not null default 0,
    b22 integer not null default 0,
    b23 integer not null default 0,
    b24 integer not null default 0,
    b25 integer not null default 0,
    b26 integer not null default 0,
    b27 integer not null default 0,
    b28 integer not null default 0,
    b29 integer not null default 0,
    b30 integer not null default 0,
    b31 integer not null default 0,
    b32 integer not null default 0,
    b33 integer not null default 0,
    b34 integer not null default 0,
    b35 integer not null default 0,
    b36 integer not null default 0,
    b37 integer not null default 0,
    b38 integer not null default 0,
    b39 integer not null default 0,
    constraint rollup_minutes_pkey PRIMARY KEY (subject, minute, name)
);

create table schedules (
    name character varying(60) not null,
    every interval not null,
    is_active boolean not null default true,
    next_run_at timestamp with time zone not null default now(),
    last_started_at timestamp with time zone,
    last_ended_at timestamp with time zone,
    last_error text,
    runs bigint not null default 0,
    constraint schedules_pkey PRIMARY KEY (name),
    constraint schedules_every_check CHECK ((every > '00:00:00'::interval))
);

create table seal_keys (
    id character varying(40) not null,
    public_key bytea not null,
    wrapped bytea not null,
    master_key_id character varying(64) not null,
    created_at timestamp with time zone not null default now(),
    constraint seal_keys_pkey PRIMARY KEY (id)
);

create table seal_queue (
    kind smallint not null,
    ids uuid[] not null,
    at timestamp with time zone not null default now(),
    constraint seal_queue_kind_check CHECK ((kind = ANY (ARRAY[1, 2])))
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000, toast_tuple_target=8160);

create table seals (
    sequence bigint not null,
    at timestamp with time zone not null,
    previous bytea not null,
    root bytea not null,
    executions integer not null default 0,
    events integer not null default 0,
    contents integer not null default 0,
    notes text,
    leaves bytea not null,
    key_id character varying(40) not null,
    hash bytea not null,
    signature bytea not null,
    constraint seals_pkey PRIMARY KEY (sequence),
    constraint seals_sequence_check CHECK ((sequence > 0))
);

create table spent_states (
    state_hash bytea not null,
    expires_at timestamp with time zone not null,
    constraint spent_states_pkey PRIMARY KEY (state_hash),
    constraint spent_states_state_hash_check CHECK ((octet_length(state_hash) = 32))
);

create table system_configurations (
    id integer not null default nextval('system_configurations_id_seq'::regclass),
    config_key character varying(100) not null,
    config_value jsonb not null,
    config_type character varying(50) not null,
    is_encrypted boolean not null default false,
    is_active boolean not null default true,
    description text,
    created_by character varying(100),
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    constraint system_configurations_pkey PRIMARY KEY (id),
    constraint system_configurations_config_key_key UNIQUE (config_key),
    constraint credentials_are_ciphertext CHECK ((((config_type)::text <> 'credentials'::text) OR (is_encrypted AND (jsonb_typeof(config_value) = 'object'::text) AND (config_value ?& ARRAY['key_id'::text, 'ciphertext'::text]) AND ((config_value - ARRAY['key_id'::text, 'ciphertext'::text]) = '{}'::jsonb)))),
    constraint system_configurations_config_type_check CHECK (((config_type)::text = ANY ((ARRAY['credentials'::character varying, 'endpoint'::character varying, 'threshold'::character varying, 'feature_flag'::character varying])::text[])))
);

create table tool_usage_analytics (
    id bigint not null default nextval('tool_usage_analytics_id_seq'::regclass),
    tool_name character varying(100) not null,
    category tool_category,
    complexity tool_complexity,
    usage_count integer not null default 0,
    total_execution_time_ms bigint not null default 0,
    success_count integer not null default 0,
    error_count integer not null default 0,
    date_key date not null,
    hour_key integer not null,
    avg_response_time_ms integer,
    success_rate numeric(5,2),
    constraint tool_usage_analytics_pkey PRIMARY KEY (id),
    constraint tool_usage_analytics_tool_name_date_key_hour_key_key UNIQUE (tool_name, date_key, hour_key),
    constraint tool_usage_analytics_hour_key_check CHECK (((hour_key >= 0) AND (hour_key <= 23)))
);

create table uncertain_executions (
    execution_id uuid not null,
    enrolled_at timestamp with time zone not null default clock_timestamp(),
    next_try_at timestamp with time zone not null default clock_timestamp(),
    tries integer not null default 0,
    misses integer not null default 0,
    missed_at timestamp with time zone,
    last_error text,
    constraint uncertain_executions_pkey PRIMARY KEY (execution_id)
);

create table user_identities (
    id uuid not null default uuid7(),
    user_id uuid not null,
    issuer character varying(500) not null,
    subject character varying(255) not null,
    linked_by character varying(100) not null,
    linked_at timestamp with time zone not null default now(),
    last_login_at timestamp with time zone,
    constraint user_identities_pkey PRIMARY KEY (id),
    constraint user_identities_is_of_one_person UNIQUE (issuer, subject),
    constraint user_identities_is_one_of_an_issuer UNIQUE (user_id, issuer),
    constraint user_identities_issuer_check CHECK (((issuer)::text <> ''::text)),
    constraint user_identities_subject_check CHECK (((subject)::text <> ''::text))
);

create table user_links (
    id uuid not null default uuid7(),
    user_id uuid not null,
    purpose character varying(20) not null,
    token_hash bytea not null,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null,
    used_at timestamp with time zone,
    constraint user_links_pkey PRIMARY KEY (id),
    constraint user_links_token_hash_key UNIQUE (token_hash),
    constraint user_links_purpose_check CHECK (((purpose)::text = ANY ((ARRAY['invitation'::character varying, 'reset'::character varying, 'login'::character varying])::text[])))
);

create table users (
    id uuid not null default uuid7(),
    username character varying(100) not null,
    password_hash text not null,
    role character varying(20) not null,
    companies uuid[],
    is_active boolean not null default true,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    last_login_at timestamp with time zone,
    own_role_id uuid,
    totp_sealed bytea,
    totp_key_id uuid,
    totp_confirmed_at timestamp with time zone,
    totp_last_step bigint not null default 0,
    email character varying(254),
    constraint users_pkey PRIMARY KEY (id),
    constraint users_username_key UNIQUE (username),
    constraint users_email_check CHECK ((((email)::text = lower((email)::text)) AND ((email)::text ~ '^[!-?A-~]+@[!-?A-~]+$'::text))),
    constraint users_own_role_check CHECK (((own_role_id IS NULL) OR ((role)::text = 'viewer'::text))),
    constraint users_role_check CHECK (((role)::text = ANY ((ARRAY['viewer'::character varying, 'operator'::character varying, 'approver'::character varying, 'admin'::character varying, 'agent'::character varying, 'auditor'::character varying])::text[]))),
    constraint users_totp_check CHECK ((((totp_sealed IS NULL) = (totp_key_id IS NULL)) AND ((totp_confirmed_at IS NULL) OR (totp_sealed IS NOT NULL)))),
    constraint users_username_check CHECK (((username)::text ~ '^[a-z0-9][a-z0-9._@+-]*$'::text))
);

create table web_sessions (
    id uuid not null,
    token_hash bytea not null,
    user_id uuid not null,
    csrf_token character varying(64) not null,
    user_agent text,
    ip_address inet,
    created_at timestamp with time zone not null default now(),
    seen_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    constraint web_sessions_pkey PRIMARY KEY (id),
    constraint web_sessions_token_hash_key UNIQUE (token_hash)
);

create table webhook_addresses (
    id uuid not null default uuid7(),
    company_id uuid not null,
    prefix character varying(12) not null,
    secret_hash bytea not null,
    is_trial boolean not null default false,
    created_by character varying(100) not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_ping_at timestamp with time zone,
    constraint webhook_addresses_pkey PRIMARY KEY (id),
    constraint webhook_addresses_prefix_key UNIQUE (prefix),
    constraint webhook_addresses_secret_hash_key UNIQUE (secret_hash),
    constraint webhook_addresses_prefix_check CHECK (((prefix)::text ~ '^omw_[a-z0-9]{8}$'::text)),
    constraint webhook_addresses_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);

create table webhook_events (
    id uuid not null default uuid7(),
    company_id uuid not null,
    address_id uuid not null,
    dedupe bytea not null,
    message_id character varying(200),
    topic character varying(200) not null,
    origin character varying(100),
    author character varying(200),
    received_at timestamp with time zone not null default clock_timestamp(),
    body jsonb not null,
    sealed bytea,
    key_id uuid,
    document_hashes bytea,
    status character varying(10) not null default 'received'::character varying,
    deliveries integer not null default 1,
    attempts integer not null default 0,
    tried_at timestamp with time zone,
    applied_at timestamp with time zone,
    error character varying(500),
    constraint webhook_events_pkey PRIMARY KEY (id),
    constraint webhook_events_once UNIQUE (company_id, dedupe),
    constraint sealed_under_a_key CHECK (((sealed IS NULL) = (key_id IS NULL))),
    constraint webhook_events_dedupe_check CHECK ((octet_length(dedupe) = 16)),
    constraint webhook_events_status_check CHECK (((status)::text = ANY ((ARRAY['received'::character varying, 'applied'::character varying, 'ignored'::character varying, 'failed'::character varying])::text[])))
);

alter table execution_bodies alter column sealed set storage external;

alter table idempotency_keys alter column answer set storage external;

alter table idempotency_keys alter column before set storage external;

alter table idempotency_keys alter column request set storage external;

alter table seal_queue alter column ids set storage external;

alter table seals alter column leaves set storage external;

alter table api_tokens add constraint api_tokens_default_company_fkey FOREIGN KEY (default_company) REFERENCES companies(id);

alter table api_tokens add constraint api_tokens_own_role_id_fkey FOREIGN KEY (own_role_id) REFERENCES roles(id);

alter table identity_roles add constraint identity_roles_own_role_id_fkey FOREIGN KEY (own_role_id) REFERENCES roles(id);

alter table recovery_codes add constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

alter table seals add constraint seals_key_id_fkey FOREIGN KEY (key_id) REFERENCES seal_keys(id);

alter table user_identities add constraint user_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

alter table user_links add constraint user_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

alter table users add constraint users_own_role_id_fkey FOREIGN KEY (own_role_id) REFERENCES roles(id);

alter table users add constraint users_totp_key_id_fkey FOREIGN KEY (totp_key_id) REFERENCES data_keys(id);

alter table web_sessions add constraint web_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

alter table webhook_addresses add constraint webhook_addresses_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies(id);

alter table webhook_events add constraint webhook_events_address_id_fkey FOREIGN KEY (address_id) REFERENCES webhook_addresses(id);

alter table webhook_events add constraint webhook_events_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies(id);

CREATE INDEX idx_alerts_execution ON public.integration_alerts USING btree (process_execution_id) WHERE (NOT is_resolved);

CREATE INDEX idx_alerts_severity_created ON public.integration_alerts USING btree (severity, created_at);

CREATE INDEX idx_alerts_unresolved ON public.integration_alerts USING btree (created_at) WHERE (NOT is_resolved);

CREATE INDEX idx_audit_events_action ON public.audit_events USING btree (action, id);

CREATE INDEX idx_audit_events_actor ON public.audit_events USING btree (actor, id);

CREATE INDEX idx_audit_events_object ON public.audit_events USING btree (object_type, object_id);

CREATE INDEX idx_audit_verifications_ended ON public.audit_verifications USING btree (ended_at);

CREATE INDEX idx_configuration_history_key ON public.configuration_history USING btree (config_key, revision);

CREATE INDEX idx_errands_open ON public.errands USING btree (actor, opened_at) WHERE (closed_at IS NULL);

CREATE INDEX idx_gate_calls_counting ON public.gate_calls USING btree (egress, counts_until);

CREATE INDEX idx_gate_waiters_egress ON public.gate_waiters USING btree (egress);

CREATE INDEX idx_idempotency_keys_execution ON public.idempotency_keys USING btree (execution_id);

CREATE INDEX idx_idempotency_keys_expires ON public.idempotency_keys USING btree (expires_at);

CREATE INDEX idx_idempotency_keys_known ON public.idempotency_keys USING btree (company_id, endpoint, looked_at) WHERE (((state)::text = 'answered'::text) AND (code IS NOT NULL));

CREATE INDEX idx_instances_alive ON public.instances USING btree (heartbeat_at) WHERE (stopped_at IS NULL);

CREATE UNIQUE INDEX idx_master_keys_current ON public.master_keys USING btree (is_current) WHERE is_current;

CREATE INDEX idx_omie_metrics_endpoint_timestamp ON public.omie_api_metrics USING btree (endpoint, "timestamp");

CREATE INDEX idx_omie_metrics_execution ON public.omie_api_metrics USING btree (process_execution_id);

CREATE INDEX idx_omie_metrics_success_timestamp ON public.omie_api_metrics USING btree (success, "timestamp");

CREATE INDEX idx_process_executions_created_at ON public.process_executions USING btree (created_at);

CREATE INDEX idx_process_executions_parent ON public.process_executions USING btree (parent_id) WHERE (parent_id IS NOT NULL);

CREATE INDEX idx_process_executions_status ON public.process_executions USING btree (status, started_at) WHERE (status = ANY (ARRAY['queued'::execution_status, 'awaiting_approval'::execution_status, 'running'::execution_status, 'uncertain'::execution_status]));

CREATE INDEX idx_process_executions_type_created ON public.process_executions USING btree (process_type, created_at);

CREATE INDEX idx_schedules_due ON public.schedules USING btree (next_run_at) WHERE is_active;

CREATE INDEX idx_seals_at ON public.seals USING btree (at);

CREATE INDEX idx_seals_notes ON public.seals USING btree (sequence) WHERE (notes IS NOT NULL);

CREATE INDEX idx_spent_states_end ON public.spent_states USING btree (expires_at);

CREATE INDEX idx_tool_analytics_date_tool ON public.tool_usage_analytics USING btree (date_key, tool_name);

CREATE INDEX idx_uncertain_executions_due ON public.uncertain_executions USING btree (next_try_at);

CREATE INDEX idx_user_links_user ON public.user_links USING btree (user_id) WHERE (used_at IS NULL);

CREATE INDEX idx_web_sessions_user ON public.web_sessions USING btree (user_id) WHERE (ended_at IS NULL);

CREATE INDEX idx_webhook_addresses_company ON public.webhook_addresses USING btree (company_id);

CREATE INDEX idx_webhook_events_company ON public.webhook_events USING btree (company_id, id);

CREATE INDEX idx_webhook_events_waiting ON public.webhook_events USING btree (company_id, received_at, id) WHERE ((status)::text = 'received'::text);

CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email);

create view active_processes as
 SELECT id,
    execution_id,
    process_type,
    status,
    started_at,
    company_id,
    actor,
    writes
   FROM process_executions
  WHERE ((status = 'running'::execution_status) AND (started_at > (now() - '01:00:00'::interval)));

create view process_success_rate_24h as
 SELECT process_type,
    count(*) AS total_executions,
    count(*) FILTER (WHERE (status = 'completed'::execution_status)) AS successful,
    round((((count(*) FILTER (WHERE (status = 'completed'::execution_status)))::numeric / (count(*))::numeric) * (100)::numeric), 2) AS success_rate
   FROM process_executions
  WHERE ((created_at > (now() - '24:00:00'::interval)) AND (id >= uuid7_floor((now() - '25:00:00'::interval))))
  GROUP BY process_type;

create view endpoint_performance_1h as
 SELECT endpoint,
    count(*) AS requests,
    avg(response_time_ms) AS avg_response_time,
    percentile_cont((0.95)::double precision) WITHIN GROUP (ORDER BY ((response_time_ms)::double precision)) AS p95_response_time
   FROM omie_api_metrics
  WHERE ("timestamp" > (now() - '01:00:00'::interval))
  GROUP BY endpoint;

create view rollup_minutes_now as
 SELECT subject,
    name,
    minute,
    sum(count) AS count,
    sum(success_count) AS success_count,
    sum(error_count) AS error_count,
    (sum(total_ms))::bigint AS total_ms,
    sum(b00) AS b00,
    sum(b01) AS b01,
    sum(b02) AS b02,
    sum(b03) AS b03,
    sum(b04) AS b04,
    sum(b05) AS b05,
    sum(b06) AS b06,
    sum(b07) AS b07,
    sum(b08) AS b08,
    sum(b09) AS b09,
    sum(b10) AS b10,
    sum(b11) AS b11,
    sum(b12) AS b12,
    sum(b13) AS b13,
    sum(b14) AS b14,
    sum(b15) AS b15,
    sum(b16) AS b16,
    sum(b17) AS b17,
    sum(b18) AS b18,
    sum(b19) AS b19,
    sum(b20) AS b20,
    sum(b21) AS b21,
    sum(b22) AS b22,
    sum(b23) AS b23,
    sum(b24) AS b24,
    sum(b25) AS b25,
    sum(b26) AS b26,
    sum(b27) AS b27,
    sum(b28) AS b28,
    sum(b29) AS b29,
    sum(b30) AS b30,
    sum(b31) AS b31,
    sum(b32) AS b32,
    sum(b33) AS b33,
    sum(b34) AS b34,
    sum(b35) AS b35,
    sum(b36) AS b36,
    sum(b37) AS b37,
    sum(b38) AS b38,
    sum(b39) AS b39
   FROM ( SELECT rollup_minutes.subject,
            rollup_minutes.name,
            rollup_minutes.minute,
            rollup_minutes.count,
            rollup_minutes.success_count,
            rollup_minutes.error_count,
            rollup_minutes.total_ms,
            rollup_minutes.b00,
            rollup_minutes.b01,
            rollup_minutes.b02,
            rollup_minutes.b03,
            rollup_minutes.b04,
            rollup_minutes.b05,
            rollup_minutes.b06,
            rollup_minutes.b07,
            rollup_minutes.b08,
            rollup_minutes.b09,
            rollup_minutes.b10,
            rollup_minutes.b11,
            rollup_minutes.b12,
            rollup_minutes.b13,
            rollup_minutes.b14,
            rollup_minutes.b15,
            rollup_minutes.b16,
            rollup_minutes.b17,
            rollup_minutes.b18,
            rollup_minutes.b19,
            rollup_minutes.b20,
            rollup_minutes.b21,
            rollup_minutes.b22,
            rollup_minutes.b23,
            rollup_minutes.b24,
            rollup_minutes.b25,
            rollup_minutes.b26,
            rollup_minutes.b27,
            rollup_minutes.b28,
            rollup_minutes.b29,
            rollup_minutes.b30,
            rollup_minutes.b31,
            rollup_minutes.b32,
            rollup_minutes.b33,
            rollup_minutes.b34,
            rollup_minutes.b35,
            rollup_minutes.b36,
            rollup_minutes.b37,
            rollup_minutes.b38,
            rollup_minutes.b39
           FROM rollup_minutes
        UNION ALL
         SELECT rollup_deltas.subject,
            rollup_deltas.name,
            date_trunc('minute'::text, rollup_deltas.minute) AS date_trunc,
            rollup_deltas.count,
            rollup_deltas.success_count,
            rollup_deltas.error_count,
            rollup_deltas.total_ms,
                CASE
                    WHEN (rollup_deltas.bucket = 0) THEN rollup_deltas.count
                    ELSE 0
                END AS b00,
                CASE
                    WHEN (rollup_deltas.bucket = 1) THEN rollup_deltas.count
                    ELSE 0
                END AS b01,
                CASE
                    WHEN (rollup_deltas.bucket = 2) THEN rollup_deltas.count
                    ELSE 0
                END AS b02,
                CASE
                    WHEN (rollup_deltas.bucket = 3) THEN rollup_deltas.count
                    ELSE 0
                END AS b03,
                CASE
                    WHEN (rollup_deltas.bucket = 4) THEN rollup_deltas.count
                    ELSE 0
                END AS b04,
                CASE
                    WHEN (rollup_deltas.bucket = 5) THEN rollup_deltas.count
                    ELSE 0
                END AS b05,
                CASE
                    WHEN (rollup_deltas.bucket = 6) THEN rollup_deltas.count
                    ELSE 0
                END AS b06,
                CASE
                    WHEN (rollup_deltas.bucket = 7) THEN rollup_deltas.count
                    ELSE 0
                END AS b07,
                CASE
                    WHEN (rollup_deltas.bucket = 8) THEN rollup_deltas.count
                    ELSE 0
                END AS b08,
                CASE
                    WHEN (rollup_deltas.bucket = 9) THEN rollup_deltas.count
                    ELSE 0
                END AS b09,
                CASE
                    WHEN (rollup_deltas.bucket = 10) THEN rollup_deltas.count
                    ELSE 0
                END AS b10,
                CASE
                    WHEN (rollup_deltas.bucket = 11) THEN rollup_deltas.count
                    ELSE 0
                END AS b11,
                CASE
                    WHEN (rollup_deltas.bucket = 12) THEN rollup_deltas.count
                    ELSE 0
                END AS b12,
                CASE
                    WHEN (rollup_deltas.bucket = 13) THEN rollup_deltas.count
                    ELSE 0
                END AS b13,
                CASE
                    WHEN (rollup_deltas.bucket = 14) THEN rollup_deltas.count
                    ELSE 0
                END AS b14,
                CASE
                    WHEN (rollup_deltas.bucket = 15) THEN rollup_deltas.count
                    ELSE 0
                END AS b15,
                CASE
                    WHEN (rollup_deltas.bucket = 16) THEN rollup_deltas.count
                    ELSE 0
                END AS b16,
                CASE
                    WHEN (rollup_deltas.bucket = 17) THEN rollup_deltas.count
                    ELSE 0
                END AS b17,
                CASE
                    WHEN (rollup_deltas.bucket = 18) THEN rollup_deltas.count
                    ELSE 0
                END AS b18,
                CASE
                    WHEN (rollup_deltas.bucket = 19) THEN rollup_deltas.count
                    ELSE 0
                END AS b19,
                CASE
                    WHEN (rollup_deltas.bucket = 20) THEN rollup_deltas.count
                    ELSE 0
                END AS b20,
                CASE
                    WHEN (rollup_deltas.bucket = 21) THEN rollup_deltas.count
                    ELSE 0
                END AS b21,
                CASE
                    WHEN (rollup_deltas.bucket = 22) THEN rollup_deltas.count
                    ELSE 0
                END AS b22,
                CASE
                    WHEN (rollup_deltas.bucket = 23) THEN rollup_deltas.count
                    ELSE 0
                END AS b23,
                CASE
                    WHEN (rollup_deltas.bucket = 24) THEN rollup_deltas.count
                    ELSE 0
                END AS b24,
                CASE
                    WHEN (rollup_deltas.bucket = 25) THEN rollup_deltas.count
                    ELSE 0
                END AS b25,
                CASE
                    WHEN (rollup_deltas.bucket = 26) THEN rollup_deltas.count
                    ELSE 0
                END AS b26,
                CASE
                    WHEN (rollup_deltas.bucket = 27) THEN rollup_deltas.count
                    ELSE 0
                END AS b27,
                CASE
                    WHEN (rollup_deltas.bucket = 28) THEN rollup_deltas.count
                    ELSE 0
                END AS b28,
                CASE
                    WHEN (rollup_deltas.bucket = 29) THEN rollup_deltas.count
                    ELSE 0
                END AS b29,
                CASE
                    WHEN (rollup_deltas.bucket = 30) THEN rollup_deltas.count
                    ELSE 0
                END AS b30,
                CASE
                    WHEN (rollup_deltas.bucket = 31) THEN rollup_deltas.count
                    ELSE 0
                END AS b31,
                CASE
                    WHEN (rollup_deltas.bucket = 32) THEN rollup_deltas.count
                    ELSE 0
                END AS b32,
                CASE
                    WHEN (rollup_deltas.bucket = 33) THEN rollup_deltas.count
                    ELSE 0
                END AS b33,
                CASE
                    WHEN (rollup_deltas.bucket = 34) THEN rollup_deltas.count
                    ELSE 0
                END AS b34,
                CASE
                    WHEN (rollup_deltas.bucket = 35) THEN rollup_deltas.count
                    ELSE 0
                END AS b35,
                CASE
                    WHEN (rollup_deltas.bucket = 36) THEN rollup_deltas.count
                    ELSE 0
                END AS b36,
                CASE
                    WHEN (rollup_deltas.bucket = 37) THEN rollup_deltas.count
                    ELSE 0
                END AS b37,
                CASE
                    WHEN (rollup_deltas.bucket = 38) THEN rollup_deltas.count
                    ELSE 0
                END AS b38,
                CASE
                    WHEN (rollup_deltas.bucket = 39) THEN rollup_deltas.count
                    ELSE 0
                END AS b39
           FROM rollup_deltas) parts
  GROUP BY subject, minute, name;

create view rollup_hours_now as
 SELECT subject,
    name,
    hour,
    sum(count) AS count,
    sum(success_count) AS success_count,
    sum(error_count) AS error_count,
    (sum(total_ms))::bigint AS total_ms,
    sum(b00) AS b00,
    sum(b01) AS b01,
    sum(b02) AS b02,
    sum(b03) AS b03,
    sum(b04) AS b04,
    sum(b05) AS b05,
    sum(b06) AS b06,
    sum(b07) AS b07,
    sum(b08) AS b08,
    sum(b09) AS b09,
    sum(b10) AS b10,
    sum(b11) AS b11,
    sum(b12) AS b12,
    sum(b13) AS b13,
    sum(b14) AS b14,
    sum(b15) AS b15,
    sum(b16) AS b16,
    sum(b17) AS b17,
    sum(b18) AS b18,
    sum(b19) AS b19,
    sum(b20) AS b20,
    sum(b21) AS b21,
    sum(b22) AS b22,
    sum(b23) AS b23,
    sum(b24) AS b24,
    sum(b25) AS b25,
    sum(b26) AS b26,
    sum(b27) AS b27,
    sum(b28) AS b28,
    sum(b29) AS b29,
    sum(b30) AS b30,
    sum(b31) AS b31,
    sum(b32) AS b32,
    sum(b33) AS b33,
    sum(b34) AS b34,
    sum(b35) AS b35,
    sum(b36) AS b36,
    sum(b37) AS b37,
    sum(b38) AS b38,
    sum(b39) AS b39
   FROM ( SELECT rollup_hours.subject,
            rollup_hours.name,
            rollup_hours.hour,
            rollup_hours.count,
            rollup_hours.success_count,
            rollup_hours.error_count,
            rollup_hours.total_ms,
            rollup_hours.b00,
            rollup_hours.b01,
            rollup_hours.b02,
            rollup_hours.b03,
            rollup_hours.b04,
            rollup_hours.b05,
            rollup_hours.b06,
            rollup_hours.b07,
            rollup_hours.b08,
            rollup_hours.b09,
            rollup_hours.b10,
            rollup_hours.b11,
            rollup_hours.b12,
            rollup_hours.b13,
            rollup_hours.b14,
            rollup_hours.b15,
            rollup_hours.b16,
            rollup_hours.b17,
            rollup_hours.b18,
            rollup_hours.b19,
            rollup_hours.b20,
            rollup_hours.b21,
            rollup_hours.b22,
            rollup_hours.b23,
            rollup_hours.b24,
            rollup_hours.b25,
            rollup_hours.b26,
            rollup_hours.b27,
            rollup_hours.b28,
            rollup_hours.b29,
            rollup_hours.b30,
            rollup_hours.b31,
            rollup_hours.b32,
            rollup_hours.b33,
            rollup_hours.b34,
            rollup_hours.b35,
            rollup_hours.b36,
            rollup_hours.b37,
            rollup_hours.b38,
            rollup_hours.b39
           FROM rollup_hours
        UNION ALL
         SELECT rollup_deltas.subject,
            rollup_deltas.name,
            date_trunc('hour'::text, rollup_deltas.minute) AS date_trunc,
            rollup_deltas.count,
            rollup_deltas.success_count,
            rollup_deltas.error_count,
            rollup_deltas.total_ms,
                CASE
                    WHEN (rollup_deltas.bucket = 0) THEN rollup_deltas.count
                    ELSE 0
                END AS b00,
                CASE
                    WHEN (rollup_deltas.bucket = 1) THEN rollup_deltas.count
                    ELSE 0
                END AS b01,
                CASE
                    WHEN (rollup_deltas.bucket = 2) THEN rollup_deltas.count
                    ELSE 0
                END AS b02,
                CASE
                    WHEN (rollup_deltas.bucket = 3) THEN rollup_deltas.count
                    ELSE 0
                END AS b03,
                CASE
                    WHEN (rollup_deltas.bucket = 4) THEN rollup_deltas.count
                    ELSE 0
                END AS b04,
                CASE
                    WHEN (rollup_deltas.bucket = 5) THEN rollup_deltas.count
                    ELSE 0
                END AS b05,
                CASE
                    WHEN (rollup_deltas.bucket = 6) THEN rollup_deltas.count
                    ELSE 0
                END AS b06,
                CASE
                    WHEN (rollup_deltas.bucket = 7) THEN rollup_deltas.count
                    ELSE 0
                END AS b07,
                CASE
                    WHEN (rollup_deltas.bucket = 8) THEN rollup_deltas.count
                    ELSE 0
                END AS b08,
                CASE
                    WHEN (rollup_deltas.bucket = 9) THEN rollup_deltas.count
                    ELSE 0
                END AS b09,
                CASE
                    WHEN (rollup_deltas.bucket = 10) THEN rollup_deltas.count
                    ELSE 0
                END AS b10,
                CASE
                    WHEN (rollup_deltas.bucket = 11) THEN rollup_deltas.count
                    ELSE 0
                END AS b11,
                CASE
                    WHEN (rollup_deltas.bucket = 12) THEN rollup_deltas.count
                    ELSE 0
                END AS b12,
                CASE
                    WHEN (rollup_deltas.bucket = 13) THEN rollup_deltas.count
                    ELSE 0
                END AS b13,
                CASE
                    WHEN (rollup_deltas.bucket = 14) THEN rollup_deltas.count
                    ELSE 0
                END AS b14,
                CASE
                    WHEN (rollup_deltas.bucket = 15) THEN rollup_deltas.count
                    ELSE 0
                END AS b15,
                CASE
                    WHEN (rollup_deltas.bucket = 16) THEN rollup_deltas.count
                    ELSE 0
                END AS b16,
                CASE
                    WHEN (rollup_deltas.bucket = 17) THEN rollup_deltas.count
                    ELSE 0
                END AS b17,
                CASE
                    WHEN (rollup_deltas.bucket = 18) THEN rollup_deltas.count
                    ELSE 0
                END AS b18,
                CASE
                    WHEN (rollup_deltas.bucket = 19) THEN rollup_deltas.count
                    ELSE 0
                END AS b19,
                CASE
                    WHEN (rollup_deltas.bucket = 20) THEN rollup_deltas.count
                    ELSE 0
                END AS b20,
                CASE
                    WHEN (rollup_deltas.bucket = 21) THEN rollup_deltas.count
                    ELSE 0
                END AS b21,
                CASE
                    WHEN (rollup_deltas.bucket = 22) THEN rollup_deltas.count
                    ELSE 0
                END AS b22,
                CASE
                    WHEN (rollup_deltas.bucket = 23) THEN rollup_deltas.count
                    ELSE 0
                END AS b23,
                CASE
                    WHEN (rollup_deltas.bucket = 24) THEN rollup_deltas.count
                    ELSE 0
                END AS b24,
                CASE
                    WHEN (rollup_deltas.bucket = 25) THEN rollup_deltas.count
                    ELSE 0
                END AS b25,
                CASE
                    WHEN (rollup_deltas.bucket = 26) THEN rollup_deltas.count
                    ELSE 0
                END AS b26,
                CASE
                    WHEN (rollup_deltas.bucket = 27) THEN rollup_deltas.count
                    ELSE 0
                END AS b27,
                CASE
                    WHEN (rollup_deltas.bucket = 28) THEN rollup_deltas.count
                    ELSE 0
                END AS b28,
                CASE
                    WHEN (rollup_deltas.bucket = 29) THEN rollup_deltas.count
                    ELSE 0
                END AS b29,
                CASE
                    WHEN (rollup_deltas.bucket = 30) THEN rollup_deltas.count
                    ELSE 0
                END AS b30,
                CASE
                    WHEN (rollup_deltas.bucket = 31) THEN rollup_deltas.count
                    ELSE 0
                END AS b31,
                CASE
                    WHEN (rollup_deltas.bucket = 32) THEN rollup_deltas.count
                    ELSE 0
                END AS b32,
                CASE
                    WHEN (rollup_deltas.bucket = 33) THEN rollup_deltas.count
                    ELSE 0
                END AS b33,
                CASE
                    WHEN (rollup_deltas.bucket = 34) THEN rollup_deltas.count
                    ELSE 0
                END AS b34,
                CASE
                    WHEN (rollup_deltas.bucket = 35) THEN rollup_deltas.count
                    ELSE 0
                END AS b35,
                CASE
                    WHEN (rollup_deltas.bucket = 36) THEN rollup_deltas.count
                    ELSE 0
                END AS b36,
                CASE
                    WHEN (rollup_deltas.bucket = 37) THEN rollup_deltas.count
                    ELSE 0
                END AS b37,
                CASE
                    WHEN (rollup_deltas.bucket = 38) THEN rollup_deltas.count
                    ELSE 0
                END AS b38,
                CASE
                    WHEN (rollup_deltas.bucket = 39) THEN rollup_deltas.count
                    ELSE 0
                END AS b39
           FROM rollup_deltas) parts
  GROUP BY subject, hour, name;

create view usage_now as
 SELECT tool_name,
    max(category) AS category,
    max(complexity) AS complexity,
    sum(usage_count) AS usage_count,
    (sum(total_execution_time_ms))::bigint AS total_execution_time_ms,
    sum(success_count) AS success_count,
    sum(error_count) AS error_count,
    date_key,
    hour_key,
    (round((sum(total_execution_time_ms) / (NULLIF(sum(usage_count), 0))::numeric)))::integer AS avg_response_time_ms,
    (round((((sum(success_count))::numeric * 100.0) / (NULLIF(sum(usage_count), 0))::numeric), 2))::numeric(5,2) AS success_rate
   FROM ( SELECT tool_usage_analytics.tool_name,
            tool_usage_analytics.category,
            tool_usage_analytics.complexity,
            tool_usage_analytics.usage_count,
            tool_usage_analytics.total_execution_time_ms,
            tool_usage_analytics.success_count,
            tool_usage_analytics.error_count,
            tool_usage_analytics.date_key,
            tool_usage_analytics.hour_key
           FROM tool_usage_analytics
        UNION ALL
         SELECT rollup_deltas.name,
            rollup_deltas.category,
            rollup_deltas.complexity,
            rollup_deltas.count,
            rollup_deltas.total_ms,
            rollup_deltas.success_count,
            rollup_deltas.error_count,
            (rollup_deltas.minute)::date AS minute,
            (EXTRACT(hour FROM rollup_deltas.minute))::integer AS "extract"
           FROM rollup_deltas
          WHERE ((rollup_deltas.subject)::text = 'tool'::text)) parts
  GROUP BY tool_name, date_key, hour_key;

comment on column api_tokens.networks is 'where it may be used from; null for anywhere';

comment on column companies.credentials is 'app_key and app_secret, AES-256-GCM under credentials_key, bound to this row';

comment on column configuration_history.before is 'the value that was in force, null for none; ciphertext where the value is';

comment on table data_keys is 'one key per company and month, wrapped by the master key; company zero is "no company"';

comment on column erasures.person_hash is 'both keyed hashes of the CPF or CNPJ: 8 bytes as beside bodies, 16 of the digest';

comment on column erasures.applied_at is 'when all of it was erased; null: something is still needed or was not reached yet';

comment on column errands.name is 'what process_executions.fastmcp_session_id says of the executions of the errand';

comment on column errands.session_id is 'the session of the protocol in which it was opened, where there is one: it tells apart conversations of one token';

comment on column execution_bodies.part is '0 the input, sealed before anything leaves; 1 everything known at the end';

comment on column execution_bodies.document_hashes is 'keyed hashes of the CPFs and CNPJs inside, one after the other: an erasure scans for them';

comment on column gate_calls.app_key is 'a hash of it, never the key';

comment on column idempotency_keys.code is 'the integration code that carries the key to Omie; null: the caller gave one, or there is no place';

comment on column idempotency_keys.looked_at is 'when its record was last read to show that look-ups are answered';

comment on column idempotency_keys.request is 'what the write sends, sealed and committed before anything leaves';

comment on table identity_roles is 'what a group or role of the identity provider is here';

comment on table index_key is 'hashes CPFs and CNPJs; made of the first master key, wrapped by the one in force';

comment on table legal_holds is 'each column that is given narrows what is held: of a person, of a company, of a span of time';

comment on column login_attempts.subject is 'sha256 of user name and address';

comment on table master_keys is 'names only: the keys themselves are never in the database';

comment on column omie_blocks.app_key is 'a hash of it, never the key';

comment on column process_executions.commitment is 'salted SHA-256 of the clear bodies; the salt is sealed with them';

comment on column process_executions.cancel_reason is 'somebody asked this running execution to stop, and why';

comment on column process_executions.content_hash is 'set when the jsonb columns are written anew (slimmed): the hash that the seal knows them by';

comment on column roles.categories is 'the tools it may call, by category; null for all';

comment on column roles.complexities is 'the tools it may call, by complexity; null for all';

comment on table seal_keys is 'Ed25519 keys that sign seals, the private part wrapped by the master key';

comment on column seals.notes is 'signed statements: what retention took away, what was written anew';

comment on column seals.leaves is '58 bytes each: kind, state, id, hash of the record, mark (docs/audit.md)';

comment on table spent_states is 'logins by the identity provider that were answered: none is answered twice';

comment on column uncertain_executions.misses is 'how often Omie said, at least 61 s apart, that it was not carried out';

comment on table user_identities is 'who a person is at the identity provider; names and addresses change hands there, subjects do not';

comment on table user_links is 'one-time secrets: links by which somebody sets a password, and logins that wait for their second factor';

comment on column users.totp_last_step is 'the last 30-second step whose code was used; older codes are spent';

comment on column users.email is 'what a first login by the identity provider may be recognised by, where that is allowed';

comment on column webhook_addresses.secret_hash is 'sha256 of the secret part of the address; the secret itself is kept nowhere';

comment on column webhook_addresses.is_trial is 'made by a test of ours for one minute; Omie never has it';

comment on column webhook_events.dedupe is 'keyed hash of the messageId, or of the body where there is none';

comment on column webhook_events.body is 'masked; the clear form is in sealed where masking took something away';

comment on column webhook_events.deliveries is 'how often Omie brought it; only the first is worked on';
