-- name: open(id, token_hash, user_id, csrf_token, user_agent, ip_address, now, lifetime, longest)^
-- Open a session.
insert into web_sessions (id, token_hash, user_id, csrf_token, user_agent, ip_address, created_at, seen_at, expires_at)
values (:id, :token_hash, :user_id, :csrf_token, :user_agent, :ip_address,
        coalesce(:now, now()), coalesce(:now, now()), coalesce(:now, now()) + least(:lifetime::interval, :longest::interval))
returning id, expires_at;

-- name: find(token_hash, now, longest)^
-- A session that holds, with its person; is_stale when its end has not been moved for a minute.
select s.id as session_id, s.csrf_token, s.expires_at, s.seen_at < coalesce(:now, now()) - interval '1 minute' as is_stale,
       u.id, u.username, u.role, u.companies, u.is_active, u.created_at, u.last_login_at, u.password_hash,
       u.totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = u.own_role_id) as own_role
  from web_sessions s
  join users u on u.id = s.user_id
 where s.token_hash = :token_hash and s.ended_at is null and s.expires_at > coalesce(:now, now())
   and s.created_at + :longest::interval > coalesce(:now, now()) and u.is_active;

-- name: slide(id, now, lifetime, longest)$
-- Move the end of a session that is in use, never past the longest that one may last.
update web_sessions
   set seen_at = coalesce(:now, now()),
       expires_at = least(coalesce(:now, now()) + :lifetime::interval, created_at + :longest::interval)
 where id = :id and ended_at is null
returning expires_at;

-- name: end_by_token(token_hash)^
-- End a session. No row: it had ended.
update web_sessions set ended_at = now() where token_hash = :token_hash and ended_at is null returning id, user_id;

-- name: end_one(id, user_id)^
-- End one session of a person. No row: it had ended, or is somebody else's.
update web_sessions set ended_at = now() where id = :id and user_id = :user_id and ended_at is null returning id;

-- name: end_all(user_id)
-- End every session of a person.
update web_sessions set ended_at = now() where user_id = :user_id and ended_at is null returning id;

-- name: of_user(user_id, now)
-- The sessions of a person that hold, the last used first.
select id, user_agent, ip_address, created_at, seen_at, expires_at from web_sessions
 where user_id = :user_id and ended_at is null and expires_at > coalesce(:now, now()) order by seen_at desc;

-- name: prune()!
-- Drop what ended a month ago.
delete from web_sessions where coalesce(ended_at, expires_at) < now() - interval '30 days';
