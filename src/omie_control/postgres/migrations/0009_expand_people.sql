-- People: who was erased, by keyed hash only, and what must not be erased for now.

create table erasures (
    id uuid primary key default uuid7(),
    person_hash bytea not null check (octet_length(person_hash) = 24),
    company_id uuid,
    reason varchar(500) not null check (reason <> ''),
    requested_by varchar(100) not null,
    requested_at timestamptz not null default clock_timestamp(),
    applied_at timestamptz,
    executions integer not null default 0,
    writes integer not null default 0
);
comment on column erasures.person_hash is 'both keyed hashes of the CPF or CNPJ: 8 bytes as beside bodies, 16 of the digest';
comment on column erasures.applied_at is 'when all of it was erased; null: something is still needed or was not reached yet';

create table legal_holds (
    id uuid primary key default uuid7(),
    person_hash bytea check (octet_length(person_hash) = 24),
    company_id uuid,
    since timestamptz,
    until timestamptz,
    reason varchar(500) not null check (reason <> ''),
    set_by varchar(100) not null,
    set_at timestamptz not null default clock_timestamp(),
    lifted_by varchar(100),
    lifted_at timestamptz,
    constraint holds_something check (num_nonnulls(person_hash, company_id, since, until) > 0),
    constraint since_is_before_until check (since < until),
    constraint lifted_by_somebody check ((lifted_by is null) = (lifted_at is null))
);
comment on table legal_holds is 'each column that is given narrows what is held: of a person, of a company, of a span of time';
