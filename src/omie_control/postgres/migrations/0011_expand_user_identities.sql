-- People who come in by the company's identity provider: who they are there, and logins that were answered already.

alter table users
    add column email varchar(254),
    add constraint users_email_check check (email = lower(email) and email ~ '^[!-?A-~]+@[!-?A-~]+$');
create unique index users_email_key on users (email);
comment on column users.email is 'what a first login by the identity provider may be recognised by, where that is allowed';

create table user_identities (
    id uuid primary key default uuid7(),
    user_id uuid not null references users (id) on delete cascade,
    issuer varchar(500) not null check (issuer <> ''),
    subject varchar(255) not null check (subject <> ''),
    linked_by varchar(100) not null,
    linked_at timestamptz not null default now(),
    last_login_at timestamptz,
    constraint user_identities_is_of_one_person unique (issuer, subject),
    constraint user_identities_is_one_of_an_issuer unique (user_id, issuer)
);
comment on table user_identities is 'who a person is at the identity provider; names and addresses change hands there, subjects do not';

create table spent_states (
    state_hash bytea primary key check (octet_length(state_hash) = 32),
    expires_at timestamptz not null
);
create index idx_spent_states_end on spent_states (expires_at);
comment on table spent_states is 'logins by the identity provider that were answered: none is answered twice';
