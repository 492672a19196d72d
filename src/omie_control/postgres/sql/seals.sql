-- The chain of seals: read from its end or from an instant, added to by one sealer at a time, never changed.

-- name: try_lock(key)$
-- Be the one who seals until this transaction ends.
select pg_try_advisory_xact_lock(:key::bigint);

-- name: wait_lock(key)!
-- Become the one who seals, for a statement that has to go into the chain now.
select pg_advisory_xact_lock(:key::bigint);

-- name: take(limit)
-- Take what waits for a seal out of the queue; whole rows, as they were put in.
delete from seal_queue where ctid = any(array(select ctid from seal_queue limit :limit))
returning kind, ids;

-- name: queued(limit, skipped)
-- What waits for a seal, without taking it.
select kind, ids from seal_queue order by ctid limit :limit offset :skipped;

-- name: waits_since()$
-- Since when the oldest record waits for its seal; null when none does.
select min(at) from seal_queue;

-- name: head()^
-- The last seal, without its leaves.
select sequence, case when isfinite(at) then (extract(epoch from at) * 1000000)::bigint else 0 end as at, previous,
       root, executions, events, contents, notes, ''::bytea as leaves, key_id, hash, signature
  from seals order by sequence desc limit 1;

-- name: by_sequence(sequence)^
-- One seal, without its leaves.
select sequence, case when isfinite(at) then (extract(epoch from at) * 1000000)::bigint else 0 end as at, previous,
       root, executions, events, contents, notes, ''::bytea as leaves, key_id, hash, signature
  from seals where sequence = :sequence;

-- name: after(sequence, limit)
-- The next seals in their order, with their leaves.
select sequence, case when isfinite(at) then (extract(epoch from at) * 1000000)::bigint else 0 end as at, previous,
       root, executions, events, contents, notes, leaves, key_id, hash, signature
  from seals where sequence > :sequence order by sequence limit :limit;

-- name: noted()
-- The seals that say something, in their order.
select sequence, case when isfinite(at) then (extract(epoch from at) * 1000000)::bigint else 0 end as at, previous,
       root, executions, events, contents, notes, ''::bytea as leaves, key_id, hash, signature
  from seals where notes is not null order by sequence;

-- name: before(at)$
-- The last seal before an instant; 0 when there is none.
select coalesce(max(sequence), 0) from seals where at < :at;

-- name: until(at)$
-- The last seal up to an instant; 0 when there is none.
select coalesce(max(sequence), 0) from seals where at <= :at;

-- name: newest()$
-- The number of the last seal; 0 when there is none.
select coalesce(max(sequence), 0) from seals;

-- name: add(sequence, at, previous, root, executions, events, contents, notes, leaves, key_id, hash, signature)!
-- Add a seal to the chain; its instant comes as microseconds since 1970.
insert into seals (sequence, at, previous, root, executions, events, contents, notes, leaves, key_id, hash, signature)
values (:sequence, timestamptz 'epoch' + :at::bigint * interval '1 microsecond', :previous, :root, :executions, :events,
        :contents, :notes, :leaves, :key_id, :hash, :signature);

-- name: keys()
-- The keys that sign or signed, the oldest first.
select id, public_key, wrapped, master_key_id from seal_keys order by created_at, id;

-- name: add_key(id, public_key, wrapped, master_key_id)!
-- Keep a new signing key.
insert into seal_keys (id, public_key, wrapped, master_key_id) values (:id, :public_key, :wrapped, :master_key_id);

-- name: lock_keys(key)!
-- Be the only one who makes a signing key.
select pg_advisory_xact_lock(:key::bigint);

-- name: note_verification(is_full, started_at, first_sequence, last_sequence, records, findings, details)!
-- Keep what a verification found.
insert into audit_verifications (is_full, started_at, first_sequence, last_sequence, records, findings, details)
values (:is_full, :started_at, :first_sequence, :last_sequence, :records, :findings, :details::jsonb);

-- name: last_verification()^
-- The last verification that was made.
select is_full, started_at, ended_at, first_sequence, last_sequence, records, findings, details
  from audit_verifications order by ended_at desc limit 1;

-- name: last_full()$
-- When the whole chain was last verified; null when it never was.
select max(ended_at) from audit_verifications where is_full;

-- name: try_verifying(key)$
-- Be the one who verifies in the background, for as long as this connection says so.
select pg_try_advisory_lock(:key::bigint);

-- name: end_verifying(key)$
-- Let others verify again.
select pg_advisory_unlock(:key::bigint);

-- name: verified_to()$
-- Up to which seal the last verification without a finding went; 0 when there was none.
select coalesce(max(last_sequence), 0) from audit_verifications where findings = 0;

-- name: raise_alert(alert_type, title, message, context)!
-- Raise an alert of the audit, unless one of its kind is still open.
insert into integration_alerts (alert_type, severity, title, message, context_data)
select :alert_type::text, 'critical', :title::text, :message::text, :context::jsonb
 where not exists (select from integration_alerts a where a.alert_type = :alert_type::text and not a.is_resolved);
