-- name: insert(actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)!
-- Add one event, and have it sealed.
with added as (
    insert into audit_events (actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)
    values (:actor, :action, :outcome, :object_type, :object_id, :company_id, :before, :after, :detail, :ip_address, :user_agent)
    returning id
)
insert into seal_queue (kind, ids) select 2, array_agg(id) from added;
