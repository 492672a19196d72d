-- Master keys by name, one of them in force, and the key that hashes documents, which outlives them all.

create table master_keys (
    id varchar(64) primary key,
    is_current boolean not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
create unique index idx_master_keys_current on master_keys (is_current) where is_current;
comment on table master_keys is 'names only: the keys themselves are never in the database';

create table index_key (
    is_the_one boolean primary key default true check (is_the_one),
    wrapped bytea not null,
    master_key_id varchar(64) not null
);
comment on table index_key is 'hashes CPFs and CNPJs; made of the first master key, wrapped by the one in force';

insert into master_keys (id, is_current) select distinct master_key_id, true from data_keys limit 1;
