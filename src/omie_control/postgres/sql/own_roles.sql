-- name: everything()
-- Every role of the company's own, by name, with how many people, tokens and groups have it.
select to_jsonb(r) as own_role,
       (select count(*) from users u where u.own_role_id = r.id)
     + (select count(*) from api_tokens t where t.own_role_id = r.id and t.revoked_at is null)
     + (select count(*) from identity_roles i where i.own_role_id = r.id) as holders
  from roles r order by r.name;

-- name: find(name)^
-- One role.
select to_jsonb(r) as own_role from roles r where r.name = :name;

-- name: lock(name)^
-- One role, held until the transaction ends.
select to_jsonb(r) as own_role from roles r where r.name = :name for update;

-- name: add(id, name, description, rights, categories, complexities, is_read_only, by)^
-- Add a role. No row: the name is taken.
insert into roles (id, name, description, rights, categories, complexities, is_read_only, created_by)
values (:id, :name, :description, :rights, :categories, :complexities, :is_read_only, :by)
on conflict (name) do nothing
returning id;

-- name: change(id, description, rights, categories, complexities, is_read_only)!
-- Say anew what a role is.
update roles set description = :description, rights = :rights, categories = :categories,
       complexities = :complexities, is_read_only = :is_read_only, updated_at = now()
 where id = :id;

-- name: forget_ended_tokens(id)!
-- Tokens that have ended need no role of their own any more.
update api_tokens set own_role_id = null where own_role_id = :id and revoked_at is not null;

-- name: remove(id)!
-- Remove a role that nobody has.
delete from roles where id = :id;
