-- What the two groups may do, said anew after every migration. The reader has nothing on partitions: all it
-- reads, it reads through the parents.
revoke all on schema public from omie_control_app, omie_control_reader;
grant usage on schema public to omie_control_app, omie_control_reader;

revoke all on
    companies, instances, process_executions, execution_bodies, omie_api_metrics, system_configurations,
    integration_alerts, tool_usage_analytics, rollup_deltas, rollup_minutes, rollup_hours, data_keys, users,
    web_sessions, login_attempts, api_tokens, audit_events, schedules, schema_migrations,
    gate_egresses, gate_calls, gate_lines, gate_waiters, omie_blocks,
    active_processes, process_success_rate_24h, endpoint_performance_1h,
    rollup_minutes_now, rollup_hours_now, usage_now
    from public, omie_control_app, omie_control_reader;
revoke all on idempotency_keys, uncertain_executions, lookup_lines from public, omie_control_app, omie_control_reader;
revoke all on configuration_history from public, omie_control_app, omie_control_reader;
revoke all on roles, recovery_codes, user_links, identity_roles from public, omie_control_app, omie_control_reader;
revoke all on master_keys, index_key from public, omie_control_app, omie_control_reader;
revoke all on errands from public, omie_control_app, omie_control_reader;
revoke all on user_identities, spent_states from public, omie_control_app, omie_control_reader;
revoke all on erasures, legal_holds from public, omie_control_app, omie_control_reader;
revoke all on webhook_addresses, webhook_events from public, omie_control_app, omie_control_reader;
revoke all on seal_queue, seal_keys, seals, audit_verifications from public, omie_control_app, omie_control_reader;

-- The application. No delete where a row is a record: executions, calls, alerts, people, keys leave by
-- retention (the owner drops whole partitions) or are switched off, never erased by the one they bear witness on.
grant select, insert, update on
    companies, process_executions, omie_api_metrics, system_configurations, integration_alerts,
    tool_usage_analytics, rollup_minutes, rollup_hours, data_keys, users, api_tokens, schedules
    to omie_control_app;
-- Deltas are folded away, dead instances and ended sessions pruned; a body's deletion is what an erasure is
-- (the execution keeps its commitment, so that the deletion can be seen but not undone).
grant select, insert, update, delete on rollup_deltas, instances, web_sessions, login_attempts, execution_bodies to omie_control_app;
-- Keys expire, look-ups end; neither is a record (the execution is).
grant select, insert, update, delete on idempotency_keys, uncertain_executions, lookup_lines to omie_control_app;
-- A role may go while nobody has it; a recovery code is spent by being deleted; a mapping may go at any time.
grant select, insert, update, delete on roles, recovery_codes, user_links, identity_roles to omie_control_app;
-- Who somebody is elsewhere may be forgotten; that a login was answered is worth knowing while it could be repeated.
grant select, insert, update, delete on user_identities to omie_control_app;
grant select, insert, delete on spent_states to omie_control_app;
-- What was set out to be done stays, as the executions do that belong to it.
grant select, insert, update on errands to omie_control_app;
-- The gate's book is about the last minutes only, and pruned by those who write it.
grant select, insert, update, delete on gate_calls, gate_waiters, omie_blocks to omie_control_app;
grant select, insert, update on gate_egresses, gate_lines to omie_control_app;
-- Written by the trigger of its table alone.
grant select on configuration_history to omie_control_app;
-- A rotation puts another key in force and wraps the index key anew.
grant select, insert, update on master_keys, index_key to omie_control_app;
-- What was erased and what is held stays known: both only end.
grant select, insert, update on erasures, legal_holds to omie_control_app;
-- What Omie brought stays known, as executions do; an address only ends.
grant select, insert, update on webhook_addresses, webhook_events to omie_control_app;
-- The audit only grows.
grant select, insert on audit_events, seals, audit_verifications to omie_control_app;
-- Taken out of the queue when it is sealed; a signing key is wrapped anew when the master key changes.
grant select, insert, delete on seal_queue to omie_control_app;
grant select, insert, update on seal_keys to omie_control_app;
grant select on
    schema_migrations, active_processes, process_success_rate_24h, endpoint_performance_1h,
    rollup_minutes_now, rollup_hours_now, usage_now to omie_control_app;
grant usage on all sequences in schema public to omie_control_app;

-- The reader: reports and dashboards. No bodies, no keys, no credentials, no hash that a guess could be tried on.
grant select on
    process_executions, omie_api_metrics, integration_alerts, tool_usage_analytics, rollup_deltas,
    rollup_minutes, rollup_hours, audit_events, schedules, instances, schema_migrations,
    gate_egresses, gate_lines, omie_blocks,
    active_processes, process_success_rate_24h, endpoint_performance_1h,
    rollup_minutes_now, rollup_hours_now, usage_now
    to omie_control_reader;
grant select (revision, config_key, at, changed_by) on configuration_history to omie_control_reader;
grant select on master_keys to omie_control_reader;
grant select (id, company_id, reason, requested_by, requested_at, applied_at, executions, writes, events) on erasures to omie_control_reader;
grant select (id, company_id, since, until, reason, set_by, set_at, lifted_by, lifted_at) on legal_holds to omie_control_reader;
grant select (id, company_id, prefix, is_trial, created_by, created_at, expires_at, revoked_at, last_ping_at)
    on webhook_addresses to omie_control_reader;
grant select (id, company_id, address_id, message_id, topic, origin, author, received_at, body, status, deliveries, attempts,
    tried_at, applied_at, error)
    on webhook_events to omie_control_reader;
grant select on uncertain_executions, lookup_lines, seals, seal_queue, audit_verifications to omie_control_reader;
grant select (id, public_key, created_at) on seal_keys to omie_control_reader;
grant select (id, slug, name, app_key_hint, base_url, is_demo, is_active, created_by, created_at, updated_at)
    on companies to omie_control_reader;
grant select (id, config_key, config_type, is_encrypted, is_active, description, created_by, created_at, updated_at)
    on system_configurations to omie_control_reader;
grant select on roles, identity_roles to omie_control_reader;
grant select (id, username, role, own_role_id, companies, is_active, created_by, created_at, updated_at, last_login_at, totp_confirmed_at)
    on users to omie_control_reader;
grant select (id, name, prefix, role, own_role_id, companies, default_company, networks, not_before, created_by, created_at, expires_at,
    last_used_at, revoked_at)
    on api_tokens to omie_control_reader;

revoke all on function
    make_partitions(date, integer), make_partition(text, date, text), grant_partition(text, text), refuse_change(),
    note_configuration()
    from public, omie_control_app, omie_control_reader;
grant execute on function make_partitions(date, integer) to omie_control_app;
do $$
begin
    perform grant_partition(inhparent::regclass::text, inhrelid::regclass::text)
       from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent in ('process_executions'::regclass, 'execution_bodies'::regclass, 'omie_api_metrics'::regclass)
        and relkind = 'r';
end $$;
