-- name: insert(actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)!
-- Add one event.
insert into audit_events (actor, action, outcome, object_type, object_id, company_id, before, after, detail, ip_address, user_agent)
values (:actor, :action, :outcome, :object_type, :object_id, :company_id, :before, :after, :detail, :ip_address, :user_agent);
