-- Alerts: what a person has to know or decide.

-- name: add(alert_type, severity, title, message, context, execution, endpoint)$
-- Raise an alert.
insert into integration_alerts (alert_type, severity, title, message, context_data, process_execution_id, endpoint)
values (:alert_type, :severity::alert_severity, :title, :message, :context::jsonb, :execution, :endpoint)
returning id;

-- name: page(unresolved_only, severity, before, limit)
-- Alerts, newest first, older than the cursor.
select id, alert_type, severity::text as severity, title, message, context_data, process_execution_id, endpoint,
       is_resolved, resolved_at, resolved_by, created_at
  from integration_alerts
 where (not :unresolved_only::boolean or not is_resolved)
   and (:severity::alert_severity is null or severity = :severity)
   and (:before::bigint is null or id < :before)
 order by id desc
 limit :limit;

-- name: resolve(id, by)^
-- Settle an alert. No row: it is settled already, or there is none.
update integration_alerts
   set is_resolved = true, resolved_at = now(), resolved_by = :by
 where id = :id and not is_resolved
returning id;

-- name: count_unresolved()
-- How many alerts wait, by severity.
select severity::text as severity, count(*) as count
  from integration_alerts where not is_resolved group by severity;

-- name: active(companies, limit)
-- Alerts that nobody has resolved, newest first; a scope sees those about executions of its companies.
select a.id, a.alert_type, a.severity::text as severity, a.title, a.message, a.context_data, a.process_execution_id,
       a.endpoint, a.is_resolved, a.resolved_at, a.resolved_by, a.created_at
  from integration_alerts a
 where not a.is_resolved
   and (:companies::uuid[] is null
        or exists (select from process_executions e
                    where e.id = a.process_execution_id and e.company_id = any(:companies)))
 order by a.id desc
 limit :limit;
