-- The gate before Omie: what must outlive Valkey, and what stands in for it while it is away.

-- One row per outgoing address. Its lock is the gate itself while Valkey is away; an epoch of Valkey's state is
-- good only while it is the one written here.
create table gate_egresses (
    egress varchar(100) primary key,
    epoch bigint not null default 0,
    is_fallback boolean not null default false,
    changed_at timestamptz not null default clock_timestamp()
);

-- Every call that was let through, for as long as it counts; pruned minutes later.
create table gate_calls (
    id uuid primary key,
    egress varchar(100) not null,
    app_key varchar(64) not null,
    endpoint varchar(200) not null,
    company varchar(60) not null,
    caller varchar(200) not null,
    digest varchar(128) not null,
    entered_at timestamptz not null,
    running_until timestamptz not null,
    counts_until timestamptz not null,
    repeats_until timestamptz not null
);
create index idx_gate_calls_counting on gate_calls (egress, counts_until);
comment on column gate_calls.app_key is 'a hash of it, never the key';

-- What is remembered of a method beyond its calls: errors in a row, pauses, whether it takes one call at a time.
create table gate_lines (
    egress varchar(100) not null,
    app_key varchar(64) not null,
    endpoint varchar(200) not null,
    company varchar(60) not null,
    errors integer not null default 0,
    opens_at timestamptz,
    patient_at timestamptz,
    paused_until timestamptz,
    busy_runs integer not null default 0,
    lone_until timestamptz,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (egress, app_key, endpoint)
);

-- Who waits while Valkey is away.
create table gate_waiters (
    id uuid primary key,
    egress varchar(100) not null,
    app_key varchar(64) not null,
    endpoint varchar(200) not null,
    writes boolean not null,
    company varchar(60) not null,
    caller varchar(200) not null,
    is_background boolean not null,
    asked_at timestamptz not null,
    from_at timestamptz not null,
    expires_at timestamptz not null
);
create index idx_gate_waiters_egress on gate_waiters (egress);

-- Omie's block of 30 minutes: one clock per app_key for everybody, whatever else is lost.
create table omie_blocks (
    app_key varchar(64) primary key,
    company varchar(60) not null,
    endpoint varchar(200) not null,
    noted_at timestamptz not null default clock_timestamp(),
    blocked_until timestamptz not null
);
comment on column omie_blocks.app_key is 'a hash of it, never the key';
