-- name: everything()
-- Every mapping, the oldest first.
select id, claim_value, role, companies, created_by, created_at,
       (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from identity_roles order by id;

-- name: first_of(claim_values)^
-- The oldest mapping of these values.
select id, claim_value, role, companies, created_by, created_at,
       (select to_jsonb(r) from roles r where r.id = own_role_id) as own_role
  from identity_roles where claim_value = any(:claim_values::text[]) order by id limit 1;

-- name: put(id, claim_value, role, own_role_id, companies, by)!
-- Say what a value is here, anew if it was something else.
insert into identity_roles (id, claim_value, role, own_role_id, companies, created_by)
values (:id, :claim_value, :role, :own_role_id, :companies, :by)
on conflict (claim_value) do update
   set role = excluded.role, own_role_id = excluded.own_role_id, companies = excluded.companies,
       created_by = excluded.created_by;

-- name: remove(claim_value)^
-- Forget a mapping. No row: there was none.
delete from identity_roles where claim_value = :claim_value returning id;
