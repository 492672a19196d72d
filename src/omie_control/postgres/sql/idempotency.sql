-- Idempotency keys: claimed before a write leaves, answered or freed after it.

-- name: claim(id, company_id, process_type, key, is_derived, endpoint, digest, code, execution_id, execution_name, lives_for, key_id, request)^
-- Claim a key, in the one commit before anything leaves. A key is free that was never used, was freed by a proved
-- refusal, is answered but expired, or whose execution ended while nothing of it was in flight. A code that may have
-- reached Omie once is kept, so that a second record with it is refused there. No row means somebody else holds it.
insert into idempotency_keys as k
       (id, company_id, process_type, key, is_derived, endpoint, digest, code, execution_id, execution_name,
        expires_at, key_id, request)
values (:id, :company_id, :process_type, :key, :is_derived, :endpoint, :digest, :code, :execution_id, :execution_name,
        clock_timestamp() + :lives_for::interval, :key_id, :request)
    on conflict (company_id, process_type, key) do update
   set state = 'open', is_derived = excluded.is_derived, endpoint = excluded.endpoint, digest = excluded.digest,
       code = case when k.state = 'answered' or k.endpoint <> excluded.endpoint or excluded.code is null
                   then excluded.code else coalesce(k.code, excluded.code) end,
       execution_id = excluded.execution_id, execution_name = excluded.execution_name,
       claimed_at = clock_timestamp(), ended_at = null, expires_at = excluded.expires_at, looked_at = null,
       key_id = excluded.key_id, request = excluded.request, before = null, answer = null
 where k.state = 'free'
    or (k.state = 'answered' and k.expires_at <= clock_timestamp())
    or (k.state = 'open' and k.execution_id <> excluded.execution_id
        and exists (select from process_executions e
                     where e.id = k.execution_id and e.status in ('failed', 'cancelled', 'timeout')))
returning id, code, claimed_at;

-- name: find(company_id, process_type, key)^
-- A key as it stands, with how its execution stands.
select k.id, k.company_id, k.process_type, k.key, k.state, k.endpoint, k.digest, k.code, k.execution_id, k.execution_name, k.claimed_at, k.is_derived,
       k.key_id, k.request, k.before, k.answer, e.status::text as status
  from idempotency_keys k
  left join process_executions e on e.id = k.execution_id
 where k.company_id = :company_id and k.process_type = :process_type and k.key = :key;

-- name: of_execution(execution_id)
-- The keys of one execution, the oldest first.
select k.id, k.company_id, k.process_type, k.key, k.state, k.endpoint, k.digest, k.code, k.execution_id, k.execution_name, k.claimed_at, k.is_derived,
       k.key_id, k.request, k.before, k.answer, null::text as status
  from idempotency_keys k
 where k.execution_id = :execution_id
 order by k.claimed_at, k.id;

-- name: keep_before(id, execution_id, claimed_at, before)!
-- Keep how things were before the write, sealed.
update idempotency_keys set before = :before
 where id = :id and execution_id = :execution_id and claimed_at = :claimed_at and state = 'open';

-- name: still_runs(execution_id, attempt)$
-- Whether nobody has ended an execution, or claimed it since.
select exists (select from process_executions
                where id = :execution_id and attempt = :attempt and status = 'running');

-- name: has_moved(company_id, since)$
-- Whether a company was given another application of Omie's since then. A process may go on with the one before for
-- some seconds; of changes written down without saying so, nobody knows.
select exists (select from audit_events a
                 join companies c on c.slug = a.object_id
                where c.id = :company_id and a.object_type = 'company' and a.action = 'company.credentials_replaced'
                  and a.at > :since::timestamptz - interval '10 seconds'
                  and coalesce((a.after ->> 'other_app')::boolean, true));

-- name: doubt(id, execution_id, claimed_at)!
-- Note that nobody knows what became of the write. A word that comes late, about a claim before, changes nothing.
update idempotency_keys set state = 'uncertain'
 where id = :id and execution_id = :execution_id and claimed_at = :claimed_at and state = 'open';

-- name: answer(id, execution_id, claimed_at, answer)!
-- Keep the first answer, sealed; every equal call gets it from now on.
update idempotency_keys
   set state = 'answered', answer = :answer, ended_at = clock_timestamp(),
       expires_at = greatest(expires_at, clock_timestamp())
 where id = :id and execution_id = :execution_id and claimed_at = :claimed_at and state in ('open', 'uncertain');

-- name: free(id, execution_id, claimed_at, keep_for)!
-- Free a key whose write was surely not carried out; its code is kept for the next try.
update idempotency_keys
   set state = 'free', ended_at = clock_timestamp(), expires_at = clock_timestamp() + :keep_for::interval
 where id = :id and execution_id = :execution_id and claimed_at = :claimed_at and state in ('open', 'uncertain');

-- name: known(company_id, endpoints, pause)^
-- Take a record that is known to exist and was not read lately, to show that its method answers.
update idempotency_keys
   set looked_at = clock_timestamp()
 where id = (select k.id from idempotency_keys k
              where k.state = 'answered' and k.code is not null
                and k.company_id = :company_id and k.endpoint = any(:endpoints::text[])
                and coalesce(k.looked_at, k.ended_at) < clock_timestamp() - :pause::interval
              order by k.looked_at nulls first
              limit 1 for update skip locked)
returning id, company_id, process_type, key, state, endpoint, digest, code, execution_id, execution_name, claimed_at, is_derived, key_id, request,
          before, answer, null::text as status;

-- name: forget_known(id)!
-- Ask for a record no more that is not there any more.
update idempotency_keys set looked_at = 'infinity' where id = :id;

-- name: prune(limit)!
-- Delete keys that have expired, and those that were left open by an execution that has long ended.
delete from idempotency_keys
 where id in (select k.id from idempotency_keys k
               where k.expires_at < now()
                 and (k.state in ('answered', 'free')
                      or (k.claimed_at < clock_timestamp() - interval '7 days'
                          and not exists (select from process_executions e
                                           where e.id = k.execution_id and e.status in ('running', 'uncertain'))))
               limit :limit for update skip locked);
