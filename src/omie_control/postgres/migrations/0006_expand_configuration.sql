-- Every change of the configuration, also one made by hand: the table itself keeps its history.

create table configuration_history (
    revision bigint generated always as identity primary key,
    config_key varchar(100) not null,
    at timestamptz not null default clock_timestamp(),
    changed_by varchar(100) not null,
    before jsonb,
    after jsonb
);
create index idx_configuration_history_key on configuration_history (config_key, revision);
comment on column configuration_history.before is 'the value that was in force, null for none; ciphertext where the value is';

create function note_configuration() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public as $$
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
end $$;

create trigger note_configuration after insert or update or delete on system_configurations
    for each row execute function note_configuration();

-- What was configured before there was a history.
insert into configuration_history (config_key, changed_by, after)
select config_key, coalesce(created_by, session_user), config_value from system_configurations where is_active order by id;
