-- Configuration of the system that is data: flags, thresholds, addresses, sealed credentials; and its history.

-- name: everything()
-- Whatever is in force, by key.
select config_key, config_value, config_type, is_encrypted, description, created_by, updated_at
  from system_configurations where is_active order by config_key;

-- name: revision()$
-- The number of the last change; 0 before the first.
select coalesce(max(revision), 0) from configuration_history;

-- name: act_as(actor)$
-- Name whoever changes the configuration in this transaction.
select set_config('omie_control.actor', :actor, true);

-- name: lock(key)^
-- A key's row, in force or not, held until the transaction ends.
select config_key, config_value, config_type, is_active from system_configurations where config_key = :key for update;

-- name: put(key, value, config_type, is_encrypted, description, by)^
-- Write a configuration; the type of one that exists does not change. No row: it has another type.
insert into system_configurations as c (config_key, config_value, config_type, is_encrypted, description, created_by)
values (:key, :value::jsonb, :config_type, :is_encrypted, :description, :by)
    on conflict (config_key) do update
   set config_value = excluded.config_value, is_active = true, updated_at = now(),
       is_encrypted = excluded.is_encrypted, description = excluded.description
 where c.config_type = excluded.config_type
returning config_key;

-- name: retire(key)^
-- Take a configuration out of force; its row stays.
update system_configurations set is_active = false, updated_at = now()
 where config_key = :key and is_active
returning config_key;

-- name: history(key, before, limit)
-- Changes of one key, or of all without a key; newest first, older than a revision.
select revision, config_key, at, changed_by, before, after
  from configuration_history
 where (:key::text is null or config_key = :key) and (:before::bigint is null or revision < :before)
 order by revision desc
 limit :limit;

-- name: as_of(revision)
-- What was in force after a change: for each key that was ever set, its value then.
select distinct on (config_key) config_key, after
  from configuration_history where revision <= :revision order by config_key, revision desc;
