-- Errands: opened with a goal, found again without a word from the caller, closed with an outcome.

-- name: add(id, name, goal, actor, company, session)^
-- Open an errand.
insert into errands (id, name, goal, actor, company_id, session_id)
values (:id, :name, :goal, :actor, :company, :session)
returning id, name, goal, actor, company_id, session_id, opened_at, closed_at, outcome, result;

-- name: by_name(name)^
-- The errand of this name.
select id, name, goal, actor, company_id, session_id, opened_at, closed_at, outcome, result
  from errands where name = :name;

-- name: current(actor, session, span)^
-- The errand that an actor has open in a session (null: in none), the newest, unless it lies open for too long.
select id, name, goal, actor, company_id, session_id, opened_at, closed_at, outcome, result
  from errands
 where actor = :actor and closed_at is null and session_id is not distinct from :session::text
   and opened_at > now() - make_interval(secs => :span)
 order by opened_at desc, id desc
 limit 1;

-- name: close(name, outcome, result)^
-- Close an errand. No row: it was closed already.
update errands set closed_at = clock_timestamp(), outcome = :outcome, result = :result
 where name = :name and closed_at is null
returning id, name, goal, actor, company_id, session_id, opened_at, closed_at, outcome, result;

-- name: tally(name, since, until, companies)
-- What ran within an errand, by process type and status; the span bounds the months that are read.
select e.process_type, e.status::text as status, count(*) as count,
       count(*) filter (where e.writes) as writes, coalesce(sum(e.duration_ms), 0)::bigint as total_ms
  from process_executions e
 where e.fastmcp_session_id = :name and e.id >= uuid7_floor(:since) and e.id < uuid7_floor(:until)
   and (:companies::uuid[] is null or e.company_id is null or e.company_id = any(:companies))
 group by e.process_type, e.status
 order by e.process_type, e.status;

-- name: last_failure(name, actor, asker, besides, since, until, companies)^
-- The newest execution that did not go well, of an errand or, without one, of an actor; one type is passed over.
-- Of what ran for no company, a scope sees what its own `asker` ran.
select e.execution_id
  from process_executions e
 where e.status in ('failed', 'timeout', 'cancelled', 'uncertain')
   and (:name::text is null or e.fastmcp_session_id = :name) and (:actor::text is null or e.actor = :actor)
   and e.process_type <> :besides
   and e.id >= uuid7_floor(:since) and e.id < uuid7_floor(:until)
   and (:companies::uuid[] is null or e.company_id = any(:companies)
        or (e.company_id is null and e.actor = :asker::text))
 order by e.id desc
 limit 1;
