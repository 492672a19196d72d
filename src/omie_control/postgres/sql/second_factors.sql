-- name: of_user(user_id)^
-- The sealed secret of a person, and how far its codes are used up.
select totp_sealed, totp_key_id, totp_confirmed_at, totp_last_step from users where id = :user_id;

-- name: set_secret(user_id, sealed, key_id)^
-- Keep a secret that waits for its first code. No row: one is in force already.
update users set totp_sealed = :sealed, totp_key_id = :key_id, updated_at = now()
 where id = :user_id and totp_confirmed_at is null
returning id;

-- name: confirm(user_id)!
-- From now on codes are asked for.
update users set totp_confirmed_at = now(), updated_at = now() where id = :user_id;

-- name: remove(user_id)!
-- Ask for codes no more. The last step stays, so that no code of an old secret is ever taken twice.
update users set totp_sealed = null, totp_key_id = null, totp_confirmed_at = null, updated_at = now()
 where id = :user_id;

-- name: spend_step(user_id, step)^
-- Use up the codes of a step and of all before it. No row: it was used up.
update users set totp_last_step = :step where id = :user_id and totp_last_step < :step returning id;

-- name: add_recovery(user_id, hashes)!
-- Keep fresh recovery codes.
insert into recovery_codes (user_id, code_hash) select :user_id, unnest(:hashes::bytea[]);

-- name: drop_recovery(user_id)!
-- Forget every recovery code of a person.
delete from recovery_codes where user_id = :user_id;

-- name: spend_recovery(user_id, code_hash)^
-- Use a recovery code up. No row: there is none.
delete from recovery_codes where user_id = :user_id and code_hash = :code_hash returning user_id;

-- name: recovery_left(user_id)$
-- How many recovery codes a person has left.
select count(*) from recovery_codes where user_id = :user_id;
