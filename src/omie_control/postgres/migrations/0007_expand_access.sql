-- Roles of the company's own, second factors, invitations, and tokens that hold from an instant or a network only.
-- To code that does not know own roles yet, whoever has one is a viewer: the least of the built-in.

create table roles (
    id uuid primary key default uuid7(),
    name varchar(40) not null unique check (name ~ '^[a-z][a-z0-9-]+$'
        and name not in ('viewer', 'operator', 'approver', 'admin', 'agent', 'auditor')),
    description varchar(200) not null default '',
    rights text[] not null check (cardinality(rights) > 0),
    categories text[] check (cardinality(categories) > 0),
    complexities text[] check (cardinality(complexities) > 0),
    is_read_only boolean not null default false,
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column roles.categories is 'the tools it may call, by category; null for all';
comment on column roles.complexities is 'the tools it may call, by complexity; null for all';

alter table users
    add column own_role_id uuid references roles (id),
    add column totp_sealed bytea,
    add column totp_key_id uuid references data_keys (id),
    add column totp_confirmed_at timestamptz,
    add column totp_last_step bigint not null default 0,
    add constraint users_own_role_check check (own_role_id is null or role = 'viewer'),
    add constraint users_totp_check check ((totp_sealed is null) = (totp_key_id is null)
        and (totp_confirmed_at is null or totp_sealed is not null));
comment on column users.totp_last_step is 'the last 30-second step whose code was used; older codes are spent';

alter table api_tokens
    add column own_role_id uuid references roles (id),
    add column not_before timestamptz,
    add column networks cidr[] check (cardinality(networks) > 0),
    add constraint api_tokens_own_role_check check (own_role_id is null or role = 'viewer');
comment on column api_tokens.networks is 'where it may be used from; null for anywhere';

create table recovery_codes (
    user_id uuid not null references users (id) on delete cascade,
    code_hash bytea not null,
    created_at timestamptz not null default now(),
    primary key (user_id, code_hash)
);

create table user_links (
    id uuid primary key default uuid7(),
    user_id uuid not null references users (id) on delete cascade,
    purpose varchar(20) not null check (purpose in ('invitation', 'reset', 'login')),
    token_hash bytea not null unique,
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index idx_user_links_user on user_links (user_id) where used_at is null;
comment on table user_links is 'one-time secrets: links by which somebody sets a password, and logins that wait for their second factor';

create table identity_roles (
    id uuid primary key default uuid7(),
    claim_value varchar(200) not null unique check (claim_value <> ''),
    role varchar(20) not null check (role in ('viewer', 'operator', 'approver', 'admin', 'agent', 'auditor')),
    own_role_id uuid references roles (id),
    companies uuid[],
    created_by varchar(100) not null,
    created_at timestamptz not null default now(),
    constraint identity_roles_own_role_check check (own_role_id is null or role = 'viewer')
);
comment on table identity_roles is 'what a group or role of the identity provider is here';
