-- name: add(id, username, password_hash, role, own_role_id, companies, by)^
-- Add a person. No row: the name is taken.
insert into users (id, username, password_hash, role, own_role_id, companies, created_by)
values (:id, :username, :password_hash, :role, :own_role_id, :companies, :by)
on conflict (username) do nothing
returning id, username, role, companies, is_active, created_at, last_login_at, password_hash,
       totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role;

-- name: everything()
-- Everybody, by name.
select id, username, role, companies, is_active, created_at, last_login_at, password_hash,
       totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from users order by username;

-- name: find(username)^
-- One person.
select id, username, role, companies, is_active, created_at, last_login_at, password_hash,
       totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from users where username = :username;

-- name: lock(username)^
-- One person, held until the transaction ends.
select id, username, role, companies, is_active, created_at, last_login_at, password_hash,
       totp_confirmed_at is not null as has_totp, (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from users where username = :username for update;

-- name: has_admin()$
-- Whether anybody could let others in.
select exists (select from users where role = 'admin');

-- name: set_password(id, password_hash)!
-- Store a new hash.
update users set password_hash = :password_hash, updated_at = now() where id = :id;

-- name: set_active(id, is_active)!
-- Let a person in, or no longer.
update users set is_active = :is_active, updated_at = now() where id = :id;

-- name: set_role(id, role, own_role_id, companies)!
-- Give a person another role, on other companies.
update users set role = :role, own_role_id = :own_role_id, companies = :companies, updated_at = now() where id = :id;

-- name: note_login(id)!
-- Keep when a person last came in.
update users set last_login_at = now() where id = :id;

-- name: make_attempt_row(subject)!
-- Make sure that there is a row to count in.
insert into login_attempts (subject) values (:subject) on conflict (subject) do nothing;

-- name: admit_attempt(subject, now, free, base, cap, window)^
-- Count one attempt and let it through, unless the subject is blocked. No row: blocked. Counted before the
-- password is looked at, so that attempts made at once are counted too. The wait doubles with each failure
-- after the free ones.
update login_attempts
   set failures = case when last_at < coalesce(:now, now()) - :window::interval then 1 else failures + 1 end,
       blocked_until = case
           when last_at >= coalesce(:now, now()) - :window::interval and failures + 1 >= :free::integer
           then coalesce(:now, now()) + least(:base::interval * power(2, least(failures + 1 - :free::integer, 20)), :cap::interval)
           end,
       last_at = coalesce(:now, now())
 where subject = :subject and (blocked_until is null or blocked_until <= coalesce(:now, now()))
returning failures;

-- name: give_back_attempt(subject, free)!
-- An attempt that went well was no failure: it leaves the count as it was before.
update login_attempts
   set failures = greatest(failures - 1, 0),
       blocked_until = case when failures - 1 >= :free::integer then blocked_until end
 where subject = :subject;

-- name: blocked_until(subject)$
-- Until when a subject has to wait.
select blocked_until from login_attempts where subject = :subject;

-- name: clear_attempts(subject, now)!
-- Forget the failures of somebody who came in, and of everybody who has been silent for a day.
delete from login_attempts where subject = :subject or last_at < coalesce(:now, now()) - interval '1 day';
