-- Configuration of the system that is data: flags, thresholds, addresses, sealed credentials.

-- name: find(key)^
-- One configuration that is in force.
select config_key, config_value, config_type, is_encrypted, description, created_by, updated_at
  from system_configurations where config_key = :key and is_active;

-- name: of_type(config_type)
-- The configurations of a type that are in force, by key.
select config_key, config_value, config_type, is_encrypted, description, created_by, updated_at
  from system_configurations where config_type = :config_type and is_active order by config_key;

-- name: put(key, value, config_type, is_encrypted, description, by)^
-- Write a configuration; the type of one that exists does not change. No row: it has another type.
insert into system_configurations as c (config_key, config_value, config_type, is_encrypted, description, created_by)
values (:key, :value::jsonb, :config_type, :is_encrypted, :description, :by)
    on conflict (config_key) do update
   set config_value = excluded.config_value, is_active = true, updated_at = now(),
       is_encrypted = excluded.is_encrypted, description = coalesce(excluded.description, c.description)
 where c.config_type = excluded.config_type
returning config_key;

-- name: retire(key)^
-- Take a configuration out of force; its row stays.
update system_configurations set is_active = false, updated_at = now()
 where config_key = :key and is_active
returning config_key;
