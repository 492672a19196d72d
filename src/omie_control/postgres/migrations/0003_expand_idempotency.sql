-- Writes exactly once: each write's key, intent and first answer; and the look-ups of those without a known outcome.

create table idempotency_keys (
    id uuid primary key,
    company_id uuid not null,
    process_type varchar(100) not null,
    key varchar(200) not null check (key <> ''),
    is_derived boolean not null,
    state varchar(10) not null default 'open' check (state in ('open', 'uncertain', 'answered', 'free')),
    endpoint varchar(200) not null,
    digest bytea not null,
    code varchar(60),
    execution_id uuid not null,
    execution_name varchar(100) not null,
    claimed_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    expires_at timestamptz not null,
    looked_at timestamptz,
    key_id uuid not null,
    request bytea not null,
    before bytea,
    answer bytea,
    unique (company_id, process_type, key),
    constraint answered_has_an_answer check (state <> 'answered' or answer is not null)
);
alter table idempotency_keys alter column request set storage external;
alter table idempotency_keys alter column before set storage external;
alter table idempotency_keys alter column answer set storage external;
create index idx_idempotency_keys_execution on idempotency_keys (execution_id);
create index idx_idempotency_keys_expires on idempotency_keys (expires_at);
create index idx_idempotency_keys_known on idempotency_keys (company_id, endpoint, looked_at)
    where state = 'answered' and code is not null;
comment on column idempotency_keys.request is 'what the write sends, sealed and committed before anything leaves';
comment on column idempotency_keys.code is 'the integration code that carries the key to Omie; null: the caller gave one, or there is no place';
comment on column idempotency_keys.looked_at is 'when its record was last read to show that look-ups are answered';

-- One row for each execution that is uncertain: when Omie is asked next, and what it said so far.
create table uncertain_executions (
    execution_id uuid primary key,
    enrolled_at timestamptz not null default clock_timestamp(),
    next_try_at timestamptz not null default clock_timestamp(),
    tries integer not null default 0,
    misses integer not null default 0,
    missed_at timestamptz,
    last_error text
);
create index idx_uncertain_executions_due on uncertain_executions (next_try_at);
comment on column uncertain_executions.misses is 'how often Omie said, at least 61 s apart, that it was not carried out';

-- One row for each method that look-ups ask, by company: one asks at a time, and misses in a row are counted,
-- because Omie blocks who makes too many.
create table lookup_lines (
    company_id uuid not null,
    endpoint varchar(200) not null,
    free_at timestamptz not null,
    misses integer not null default 0,
    primary key (company_id, endpoint)
);

create index idx_alerts_execution on integration_alerts (process_execution_id) where not is_resolved;
