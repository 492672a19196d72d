-- The sealed bodies of executions: read for a reveal, deleted by age or for an erasure.

-- name: by_id(id)^
-- Which execution a body belongs to, by its key, with the masked columns beside it.
select id, execution_id, company_id, actor, input_parameters, request_payload, response_data
  from process_executions
 where id = :id;

-- name: by_name(execution_id)^
-- The same, by a name that carries no key of ours.
select id, execution_id, company_id, actor, input_parameters, request_payload, response_data
  from process_executions
 where execution_id = :execution_id;

-- name: parts(execution_id)
-- The sealed parts of an execution, the input first.
select part, key_id, sealed, document_hashes from execution_bodies where execution_id = :execution_id order by part;

-- name: erase(ids)!
-- Delete the sealed bodies of these executions for good.
delete from execution_bodies where execution_id = any(:ids::uuid[]);

-- name: delete_before(before, limit)!
-- Delete a batch of the bodies of executions older than an instant, the oldest first.
delete from execution_bodies
 where (execution_id, part) in (
        select execution_id, part from execution_bodies
         where execution_id < uuid7_floor(:before) order by execution_id, part limit :limit)
   and execution_id < uuid7_floor(:before);
