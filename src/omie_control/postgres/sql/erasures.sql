-- Erasures: the list of them, the scan that finds a person, and what is deleted or masked.

-- name: request(id, person_hash, company_id, reason, requested_by, requested_at)^
-- Put an erasure on the list, unless it is there.
insert into erasures (id, person_hash, company_id, reason, requested_by, requested_at)
values (:id, :person_hash, :company_id, :reason, :requested_by, :requested_at)
    on conflict (id) do nothing
returning id;

-- name: everything()
-- Every erasure, the newest first.
select id, person_hash, company_id, reason, requested_by, requested_at, applied_at, executions, writes, events
  from erasures
 order by id desc;

-- name: note(id, executions, writes, events, is_done)!
-- Add what an erasure has taken away, and whether nothing of it is left.
update erasures
   set executions = executions + :executions, writes = writes + :writes, events = events + :events,
       applied_at = case when :is_done::boolean then coalesce(applied_at, clock_timestamp()) end
 where id = :id;

-- name: scan(after, part, before, shorts, longs, limit)
-- Look through the next sealed bodies by their hashes; the last row is where to go on, whether it holds one or not.
with page as materialized (
    select execution_id, part, document_hashes
      from execution_bodies
     where (execution_id, part) > (:after::uuid, :part::smallint) and execution_id >= :after and execution_id < :before
     order by execution_id, part
     limit :limit)
select execution_id, part, document_hashes
  from page
 where exists (select from unnest(:shorts::bytea[], :longs::bytea[]) as mark (short, long)
                where position(mark.short in page.document_hashes) > 0
                   or position(mark.long in page.document_hashes) > 0)
    or (execution_id, part) = (select execution_id, part from page order by execution_id desc, part desc limit 1)
 order by execution_id, part;

-- name: owners(ids)
-- What is known of the executions that bodies belong to.
select id, execution_id, process_type, company_id, status::text as status, started_at, actor
  from process_executions
 where id = any(:ids::uuid[]);

-- name: writes(after, limit)
-- The next idempotency keys with what they keep sealed.
select id, company_id, process_type, key, state, execution_id, execution_name, claimed_at, key_id, request, before, answer
  from idempotency_keys
 where id > :after
 order by id
 limit :limit;

-- name: mask_write(id, execution_id, seen, request, before, answer)!
-- Keep only the masked form of a settled write, if it is still as it was read.
update idempotency_keys
   set request = :request, before = :before, answer = :answer
 where id = :id and execution_id = :execution_id and request = :seen and state in ('answered', 'free');
