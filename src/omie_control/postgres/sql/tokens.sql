-- name: add(id, name, prefix, token_hash, role, own_role_id, companies, default_company, networks, by, not_before, expires_at)^
-- Add a token.
insert into api_tokens (id, name, prefix, token_hash, role, own_role_id, companies, default_company, networks, created_by,
                        not_before, expires_at)
values (:id, :name, :prefix, :token_hash, :role, :own_role_id, :companies, :default_company, :networks, :by,
        :not_before, :expires_at)
returning id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role;

-- name: everything()
-- Every token, the newest first.
select id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from api_tokens order by id desc;

-- name: by_hash(token_hash)^
-- The token of this hash, whether it holds or not; is_unseen when its use was not noted for a minute.
select id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role,
       token_hash, last_used_at is null or last_used_at < now() - interval '1 minute' as is_unseen
  from api_tokens where token_hash = :token_hash;

-- name: note_use(id)!
-- Keep that a token is in use, once a minute.
update api_tokens set last_used_at = now()
 where id = :id and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: named(reference)
-- Tokens that hold and go by this id, name or prefix.
select id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from api_tokens
 where revoked_at is null and (id::text = lower(:reference) or name = :reference or prefix = :reference);

-- name: called(name, length)
-- Tokens that go, or ever went, by this name, as far as records keep it.
select id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from api_tokens where left(name, :length) = left(:name, :length);

-- name: revoke(id)^
-- End a token. No row: it had ended.
update api_tokens set revoked_at = now() where id = :id and revoked_at is null
returning id, name, prefix, role, companies, default_company, created_by, created_at, expires_at, last_used_at, revoked_at,
       not_before, networks, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role;
