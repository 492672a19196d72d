-- Legal holds: what must not be erased for now.

-- name: lock_holds(key)!
-- Set or lift a hold while no batch of an erasure is being deleted, until the transaction ends.
select pg_advisory_xact_lock(:key::bigint);

-- name: lock_erasing(key)!
-- Delete a batch of an erasure while no hold is being set, until the transaction ends.
select pg_advisory_xact_lock_shared(:key::bigint);

-- name: place(person_hash, company_id, since, until, reason, set_by)^
-- Set a hold.
insert into legal_holds (person_hash, company_id, since, until, reason, set_by)
values (:person_hash, :company_id, :since, :until, :reason, :set_by)
returning id, person_hash, company_id, since, until, reason, set_by, set_at, lifted_by, lifted_at;

-- name: lift(id, lifted_by)^
-- Lift a hold that holds.
update legal_holds set lifted_by = :lifted_by, lifted_at = clock_timestamp()
 where id = :id and lifted_at is null
returning id, person_hash, company_id, since, until, reason, set_by, set_at, lifted_by, lifted_at;

-- name: everything(live_only)
-- Every hold, or those that hold, the newest first.
select id, person_hash, company_id, since, until, reason, set_by, set_at, lifted_by, lifted_at
  from legal_holds
 where lifted_at is null or not :live_only::boolean
 order by id desc;
