-- name: claim(id, company_id, month, wrapped, master_key_id)^
-- Store a new data key. No row: another process was faster, and its key is the one.
insert into data_keys (id, company_id, month, wrapped, master_key_id)
values (:id, :company_id, :month, :wrapped, :master_key_id)
on conflict (company_id, month) do nothing
returning id, company_id, month, wrapped, master_key_id;

-- name: of_month(company_id, month)^
-- The data key of a company and month.
select id, company_id, month, wrapped, master_key_id from data_keys where company_id = :company_id and month = :month;

-- name: find(id)^
-- One data key.
select id, company_id, month, wrapped, master_key_id from data_keys where id = :id;

-- name: masters()
-- Every master key that something here is sealed under.
select master_key_id from data_keys
union select credentials_key from companies
union select master_key_id from index_key
order by 1;

-- name: current_master()$
-- The master key in force.
select id from master_keys where is_current;

-- name: note_master(id)!
-- Note the first master key; any later one comes by a rotation.
insert into master_keys (id, is_current)
select :id, true where not exists (select from master_keys) on conflict do nothing;

-- name: lock_masters(key)
-- Be the only one who rotates, until the transaction ends.
select pg_advisory_xact_lock(:key);

-- name: put_in_force(id)!
-- Put a master key in force in the place of the one before.
with retired as (update master_keys set is_current = false, retired_at = now() where is_current and id <> :id)
insert into master_keys (id, is_current) values (:id, false) on conflict (id) do nothing;

-- name: mark_current(id)!
-- The second half of putting a key in force: only one may be.
update master_keys set is_current = true, retired_at = null where id = :id;

-- name: masters_used()
-- Every master key with what is still sealed under it.
select m.id, m.is_current, m.created_at, m.retired_at,
       (select count(*) from data_keys d where d.master_key_id = m.id) as data_keys,
       (select count(*) from companies c where c.credentials_key = m.id) as companies,
       (select count(*) from seal_keys s where s.master_key_id = m.id) as seal_keys,
       (select count(*) from system_configurations f
         where f.is_encrypted and f.config_value ->> 'key_id' = m.id) as configurations
  from master_keys m order by m.created_at;

-- name: index_key()^
-- The key that hashes documents, wrapped.
select wrapped, master_key_id from index_key;

-- name: claim_index_key(wrapped, master_key_id)!
-- Keep the index key; whoever comes second keeps the first.
insert into index_key (wrapped, master_key_id) values (:wrapped, :master_key_id) on conflict do nothing;

-- name: data_keys_under(master_key_id)
-- Data keys that a master key wraps, held until the transaction ends.
select id::text as id, wrapped as sealed from data_keys where master_key_id = :master_key_id for update;

-- name: rewrap_data_key(id, sealed, master_key_id)!
-- Keep a data key under another master key.
update data_keys set wrapped = :sealed, master_key_id = :master_key_id where id = :id::text::uuid;

-- name: companies_under(master_key_id)
-- Credentials that a master key seals, held until the transaction ends.
select id::text as id, credentials as sealed from companies where credentials_key = :master_key_id for update;

-- name: rewrap_company(id, sealed, master_key_id)!
-- Keep credentials under another master key.
update companies set credentials = :sealed, credentials_key = :master_key_id where id = :id::text::uuid;

-- name: seal_keys_under(master_key_id)
-- Signing keys that a master key wraps, held until the transaction ends.
select id, wrapped as sealed from seal_keys where master_key_id = :master_key_id for update;

-- name: rewrap_seal_key(id, sealed, master_key_id)!
-- Keep a signing key under another master key.
update seal_keys set wrapped = :sealed, master_key_id = :master_key_id where id = :id;

-- name: configurations_under(master_key_id)
-- Sealed configurations that a master key seals, held until the transaction ends.
select config_key as id, decode(config_value ->> 'ciphertext', 'base64') as sealed
  from system_configurations
 where is_encrypted and config_value ->> 'key_id' = :master_key_id for update;

-- name: rewrap_configuration(id, sealed, master_key_id)!
-- Keep a sealed configuration under another master key; its history tells of it.
update system_configurations
   set config_value = jsonb_build_object(
           'key_id', :master_key_id::text, 'ciphertext', replace(encode(:sealed::bytea, 'base64'), E'\n', ''))
 where config_key = :id;

-- name: index_keys_under(master_key_id)
-- The index key where a master key wraps it, held until the transaction ends.
select 'index_key' as id, wrapped as sealed from index_key where master_key_id = :master_key_id for update;

-- name: rewrap_index_key(id, sealed, master_key_id)!
-- Keep the index key under another master key.
update index_key set wrapped = :sealed, master_key_id = :master_key_id where :id::text = 'index_key';
