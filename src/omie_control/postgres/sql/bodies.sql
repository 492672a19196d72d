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

-- name: older(after, before, limit)
-- The next executions older than an instant that have bodies, the oldest first, with what a legal hold asks of them.
select body.execution_id as id, owner.company_id, owner.started_at,
       array_agg(body.document_hashes) filter (where body.document_hashes is not null) as hashes
  from execution_bodies as body
  left join process_executions as owner on owner.id = body.execution_id
 where body.execution_id in (
        select distinct execution_id from execution_bodies
         where execution_id > :after::uuid and execution_id < uuid7_floor(:before)
         order by execution_id
         limit :limit)
   and body.execution_id > :after and body.execution_id < uuid7_floor(:before)
 group by body.execution_id, owner.company_id, owner.started_at
 order by body.execution_id;
