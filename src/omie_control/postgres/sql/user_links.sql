-- name: add(id, user_id, purpose, token_hash, by, now, lifetime)!
-- Add a one-time secret of a person.
insert into user_links (id, user_id, purpose, token_hash, created_by, created_at, expires_at)
values (:id, :user_id, :purpose, :token_hash, :by, coalesce(:now, now()), coalesce(:now, now()) + :lifetime::interval);

-- name: find(token_hash, purposes, now)^
-- A secret that holds, with its person.
select l.id as link_id, l.purpose, u.username
  from user_links l
  join users u on u.id = l.user_id
 where l.token_hash = :token_hash and l.purpose = any(:purposes::text[]) and l.used_at is null
   and l.expires_at > coalesce(:now, now()) and u.is_active;

-- name: spend(id)^
-- Use a secret up. No row: somebody was faster.
update user_links set used_at = now() where id = :id and used_at is null returning id;

-- name: spend_all(user_id, purposes)!
-- Use up every secret of a person for these purposes.
update user_links set used_at = now() where user_id = :user_id and purpose = any(:purposes::text[]) and used_at is null;

-- name: prune()!
-- Drop what ended a month ago.
delete from user_links where coalesce(used_at, expires_at) < now() - interval '30 days';
