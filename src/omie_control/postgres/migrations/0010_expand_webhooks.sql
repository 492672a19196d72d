-- Omie's webhooks: the secret addresses that Omie posts to, and the inbox of what it posted.

create table webhook_addresses (
    id uuid primary key default uuid7(),
    company_id uuid not null references companies (id),
    prefix varchar(12) not null unique check (prefix ~ '^omw_[a-z0-9]{8}$'),
    secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
    is_trial boolean not null default false,
    created_by varchar(100) not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_ping_at timestamptz
);
create index idx_webhook_addresses_company on webhook_addresses (company_id);
comment on column webhook_addresses.secret_hash is 'sha256 of the secret part of the address; the secret itself is kept nowhere';
comment on column webhook_addresses.is_trial is 'made by a test of ours for one minute; Omie never has it';

-- Not partitioned: what makes a delivery count once is a unique index over all that was ever taken, and a unique
-- index of a partitioned table ends at its partition.
create table webhook_events (
    id uuid primary key default uuid7(),
    company_id uuid not null references companies (id),
    address_id uuid not null references webhook_addresses (id),
    dedupe bytea not null check (octet_length(dedupe) = 16),
    message_id varchar(200),
    topic varchar(200) not null,
    origin varchar(100),
    author varchar(200),
    received_at timestamptz not null default clock_timestamp(),
    body jsonb not null,
    sealed bytea,
    key_id uuid,
    document_hashes bytea,
    status varchar(10) not null default 'received' check (status in ('received', 'applied', 'ignored', 'failed')),
    deliveries integer not null default 1,
    attempts integer not null default 0,
    tried_at timestamptz,
    applied_at timestamptz,
    error varchar(500),
    constraint webhook_events_once unique (company_id, dedupe),
    constraint sealed_under_a_key check ((sealed is null) = (key_id is null))
);
create index idx_webhook_events_company on webhook_events (company_id, id);
create index idx_webhook_events_waiting on webhook_events (company_id, received_at, id) where status = 'received';
comment on column webhook_events.dedupe is 'keyed hash of the messageId, or of the body where there is none';
comment on column webhook_events.body is 'masked; the clear form is in sealed where masking took something away';
comment on column webhook_events.deliveries is 'how often Omie brought it; only the first is worked on';

alter table erasures add column events integer not null default 0;
