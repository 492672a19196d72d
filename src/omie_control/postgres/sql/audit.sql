-- name: insert(actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)!
-- Add one event, and have it sealed.
with added as (
    insert into audit_events (actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)
    values (:actor, :action, :outcome, :object_type, :object_id, :company_id, :before, :after, :detail, :ip_address, :user_agent)
    returning id
)
insert into seal_queue (kind, ids) select 2, array_agg(id) from added;

-- name: find(id)^
-- One event, by its key.
select id, at, actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent
  from audit_events where id = :id;

-- name: page(before, since, by, action, outcome, object_id, companies, limit)
-- Events, newest first, older than the cursor. A null filter lets everything pass.
select id, at, actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent
  from audit_events
 where (:before::uuid is null or id < :before)
   and (:since::timestamptz is null or id >= uuid7_floor(:since))
   and (:by::text is null or actor like :by)
   and (:action::text is null or action like :action)
   and (:outcome::text is null or outcome = :outcome)
   and (:object_id::text is null or object_id = :object_id)
   and (:companies::uuid[] is null or company_id is null or company_id = any(:companies))
 order by id desc
 limit :limit;
