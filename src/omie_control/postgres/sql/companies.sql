-- name: add(id, slug, name, hint, credentials, key, base_url, is_demo, by)^
-- Add a company. No row: the slug is taken.
insert into companies (id, slug, name, app_key_hint, credentials, credentials_key, base_url, is_demo, created_by)
values (:id, :slug, :name, :hint, :credentials, :key, :base_url, :is_demo, :by)
on conflict (slug) do nothing
returning id, slug, name, app_key_hint, is_demo, is_active, created_at, credentials, credentials_key, base_url;

-- name: everything()
-- Every company, the real ones first.
select id, slug, name, app_key_hint, is_demo, is_active, created_at, credentials, credentials_key, base_url
  from companies order by is_demo, slug;

-- name: lock(slug)^
-- One company, held until the transaction ends.
select id, slug, name, app_key_hint, is_demo, is_active, created_at, credentials, credentials_key, base_url
  from companies where slug = :slug for update;

-- name: change(id, name, is_active, hint, credentials, key, base_url)^
-- Write a company anew, as it was locked and changed.
update companies
   set name = :name, is_active = :is_active, app_key_hint = :hint, credentials = :credentials,
       credentials_key = :key, base_url = :base_url, updated_at = now()
 where id = :id
returning id, slug, name, app_key_hint, is_demo, is_active, created_at, credentials, credentials_key, base_url;

-- name: end_demo()
-- Switch the demonstration companies off; their executions stay.
update companies set is_active = false, updated_at = now() where is_demo and is_active returning slug;
