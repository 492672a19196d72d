-- The seals over what was recorded: one queue of what is to be sealed, one chain of seals, what was verified.

-- What ended or happened and has no seal yet. Whoever writes the record writes this in the same statement, so
-- nothing is missed however late it commits; the sealer takes it away. No key: rows are only added and taken away.
-- kind 1: executions, whole batches of the recorder in one row; kind 2: audit events.
create table seal_queue (
    kind smallint not null check (kind in (1, 2)),
    ids uuid[] not null,
    at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, toast_tuple_target = 8160);
-- Ids do not shrink; a full batch of them stays in the row.
alter table seal_queue alter column ids set storage external;

create table seal_keys (
    id varchar(40) primary key,
    public_key bytea not null,
    wrapped bytea not null,
    master_key_id varchar(64) not null,
    created_at timestamptz not null default now()
);
comment on table seal_keys is 'Ed25519 keys that sign seals, the private part wrapped by the master key';

create table seals (
    sequence bigint primary key check (sequence > 0),
    at timestamptz not null,
    previous bytea not null,
    root bytea not null,
    executions integer not null default 0,
    events integer not null default 0,
    contents integer not null default 0,
    notes text,
    leaves bytea not null,
    key_id varchar(40) not null references seal_keys (id),
    hash bytea not null,
    signature bytea not null
);
alter table seals alter column leaves set storage external;
create index idx_seals_at on seals (at);
create index idx_seals_notes on seals (sequence) where notes is not null;
comment on column seals.leaves is '58 bytes each: kind, state, id, hash of the record, mark (docs/audit.md)';
comment on column seals.notes is 'signed statements: what retention took away, what was written anew';

-- Every time that the chain was verified, and what was found.
create table audit_verifications (
    id uuid primary key default uuid7(),
    is_full boolean not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    first_sequence bigint,
    last_sequence bigint,
    records bigint not null,
    findings integer not null,
    details jsonb
);
create index idx_audit_verifications_ended on audit_verifications (ended_at);

create index idx_audit_events_actor on audit_events (actor, id);
create index idx_audit_events_action on audit_events (action, id);

alter table process_executions add column content_hash bytea;
comment on column process_executions.content_hash is
    'set when the jsonb columns are written anew (slimmed): the hash that the seal knows them by';

-- What was recorded before there were seals is sealed first.
insert into seal_queue (kind, ids)
select 1, array_agg(id order by id)
  from (select id, (row_number() over (order by id) - 1) / 128 as chunk from process_executions
         where status in ('completed', 'failed', 'timeout', 'cancelled', 'uncertain')) ended
 group by chunk;
insert into seal_queue (kind, ids)
select 2, array_agg(id order by id)
  from (select id, (row_number() over (order by id) - 1) / 128 as chunk from audit_events) events
 group by chunk;
