-- name: find(issuer, subject)^
-- The person who is this at an issuer.
select u.id, u.username, u.role, u.companies, u.is_active, u.created_at, u.last_login_at, u.password_hash,
       u.totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = u.own_role_id) as own_role
  from user_identities i
  join users u on u.id = i.user_id
 where i.issuer = :issuer and i.subject = :subject;

-- name: find_unlinked(email, issuer)^
-- The person of an address who is nobody at an issuer yet; held, so that two first logins link one.
select id, username, role, companies, is_active, created_at, last_login_at, password_hash,
       totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from users u
 where email = :email
   and not exists (select from user_identities i where i.user_id = u.id and i.issuer = :issuer)
   for update;

-- name: add(id, user_id, issuer, subject, by)^
-- Say who a person is at an issuer. No row: they are somebody there already, or somebody else is this.
insert into user_identities (id, user_id, issuer, subject, linked_by)
values (:id, :user_id, :issuer, :subject, :by)
on conflict do nothing
returning id;

-- name: remove(user_id)
-- Forget who a person is anywhere.
delete from user_identities where user_id = :user_id returning issuer, subject;

-- name: everything()
-- Everybody with their address and who they are at an issuer, by name.
select u.username, u.email, i.issuer, i.subject, i.linked_by, i.linked_at, i.last_login_at
  from users u
  left join user_identities i on i.user_id = u.id
 where u.email is not null or i.id is not null
 order by u.username, i.issuer;

-- name: note_login(issuer, subject)!
-- Keep when somebody last came by an issuer.
update user_identities set last_login_at = now() where issuer = :issuer and subject = :subject;

-- name: set_email(id, email)^
-- Keep a person's address. No row: it is another's.
update users set email = :email, updated_at = now()
 where id = :id and not exists (select from users other where other.email = :email and other.id <> :id)
returning id;

-- name: spend_state(state_hash, expires_at)^
-- Note that a login was answered. No row: it was before.
insert into spent_states (state_hash, expires_at) values (:state_hash, :expires_at)
on conflict do nothing
returning state_hash;

-- name: prune_states()!
-- Drop what is refused for its age anyway.
delete from spent_states where expires_at < now() - interval '1 hour';
