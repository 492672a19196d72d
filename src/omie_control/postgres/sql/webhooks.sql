-- Omie's webhooks: the addresses it posts to, and the inbox of what it posted.

-- name: add_address(id, company_id, prefix, secret_hash, is_trial, by, expires_at)^
-- Add an address of a company.
insert into webhook_addresses (id, company_id, prefix, secret_hash, is_trial, created_by, expires_at)
values (:id, :company_id, :prefix, :secret_hash, :is_trial, :by, :expires_at)
returning id, company_id, prefix, is_trial, created_by, created_at, expires_at, revoked_at, last_ping_at;

-- name: lock_company(company_id)^
-- Be the only one who changes a company's addresses, until the transaction ends.
select id from companies where id = :company_id for no key update;

-- name: addresses(company_id)
-- The addresses of a company that Omie may have, the newest first.
select id, company_id, prefix, is_trial, created_by, created_at, expires_at, revoked_at, last_ping_at
  from webhook_addresses
 where company_id = :company_id and not is_trial
 order by id desc;

-- name: address_by_hash(secret_hash)^
-- The address of this hash, while it holds and its company is active.
select a.id, a.company_id, a.prefix, a.is_trial, a.created_by, a.created_at, a.expires_at, a.revoked_at, a.last_ping_at
  from webhook_addresses a join companies c on c.id = a.company_id and c.is_active
 where a.secret_hash = :secret_hash and a.revoked_at is null
   and (a.expires_at is null or a.expires_at > clock_timestamp());

-- name: address_by_prefix(prefix)^
-- The address of this prefix, held until the transaction ends.
select id, company_id, prefix, is_trial, created_by, created_at, expires_at, revoked_at, last_ping_at
  from webhook_addresses
 where prefix = :prefix
   for update;

-- name: expire_others(company_id, id, expires_at)
-- Let every other address of a company end at an instant, unless it ends before.
update webhook_addresses
   set expires_at = least(expires_at, :expires_at::timestamptz)
 where company_id = :company_id and id <> :id and not is_trial and revoked_at is null
   and (expires_at is null or expires_at > clock_timestamp())
returning prefix;

-- name: revoke_address(id)^
-- End an address at once. No row: it had ended.
update webhook_addresses set revoked_at = clock_timestamp() where id = :id and revoked_at is null
returning id, company_id, prefix, is_trial, created_by, created_at, expires_at, revoked_at, last_ping_at;

-- name: note_ping(id)!
-- Keep that Omie's ping has come to an address.
update webhook_addresses set last_ping_at = clock_timestamp() where id = :id;

-- name: add_event(id, company_id, address_id, dedupe, message_id, topic, origin, author, body, sealed, key_id, hashes)^
-- Put an event into the inbox, or count that it came again.
insert into webhook_events (id, company_id, address_id, dedupe, message_id, topic, origin, author, body, sealed, key_id,
                            document_hashes)
values (:id, :company_id, :address_id, :dedupe, :message_id, :topic, :origin, :author, :body::text::jsonb, :sealed, :key_id,
        :hashes)
    on conflict (company_id, dedupe) do update set deliveries = webhook_events.deliveries + 1
returning id, deliveries;

-- name: next_company(rest_seconds)^
-- Hold the oldest waiting event of a company for which nobody else works, and which is not at rest after a failed try.
select e.company_id
  from companies c
 cross join lateral (select id, received_at from webhook_events
                      where company_id = c.id and status = 'received'
                      order by received_at, id
                      limit 1) as oldest
  join webhook_events e on e.id = oldest.id
 where e.status = 'received'
   and (e.tried_at is null or e.tried_at < clock_timestamp() - make_interval(secs => :rest_seconds::double precision))
 order by oldest.received_at
 limit 1
   for update of e skip locked;

-- name: waiting(company_id, limit)
-- The waiting events of a company in the order in which they came, held until the transaction ends.
select id, topic, clock_timestamp() - received_at as age
  from webhook_events
 where company_id = :company_id and status = 'received'
 order by received_at, id
 limit :limit
   for update;

-- name: settle(ids, status)!
-- Write down that events are done with.
update webhook_events
   set status = :status, attempts = attempts + 1, tried_at = clock_timestamp(), applied_at = clock_timestamp(), error = null
 where id = any(:ids::uuid[]);

-- name: note_failure(ids, status, error)!
-- Write down that a try has failed; `received`: there will be another.
update webhook_events
   set status = :status, attempts = attempts + 1, tried_at = clock_timestamp(), error = :error
 where id = any(:ids::uuid[]);

-- name: list_events(companies, status, topic, before, limit)
-- Events of these companies (null: of all), the newest first, older than a cursor.
select e.id, e.company_id, c.slug as company, e.message_id, e.topic, e.origin, e.author, e.received_at, e.status,
       e.deliveries, e.attempts, e.applied_at, e.error
  from webhook_events e join companies c on c.id = e.company_id
 where (:companies::uuid[] is null or e.company_id = any(:companies))
   and (:status::text is null or e.status = :status)
   and (:topic::text is null or e.topic = :topic)
   and (:before::uuid is null or e.id < :before)
 order by e.id desc
 limit :limit;

-- name: event_of_message(company_id, dedupe)^
-- The event that a message became.
select e.id, e.company_id, c.slug as company, e.message_id, e.topic, e.origin, e.author, e.received_at, e.status,
       e.deliveries, e.attempts, e.applied_at, e.error
  from webhook_events e join companies c on c.id = e.company_id
 where e.company_id = :company_id and e.dedupe = :dedupe;

-- name: counts(company_id, since)
-- How many events of a company came since an instant, by topic and status.
select topic, status, count(*) as events, sum(deliveries)::bigint as deliveries
  from webhook_events
 where company_id = :company_id and id >= uuid7_floor(:since)
 group by topic, status
 order by topic, status;

-- name: standing(company_id)^
-- When a company's last event came, how long the oldest waiting one has waited, and how many have failed.
select (select received_at from webhook_events where company_id = :company_id order by id desc limit 1) as last_event_at,
       (select topic from webhook_events where company_id = :company_id order by id desc limit 1) as last_topic,
       (select extract(epoch from clock_timestamp() - min(received_at))::double precision
          from webhook_events where company_id = :company_id and status = 'received') as lag_seconds,
       (select count(*) from webhook_events where company_id = :company_id and status = 'received') as waiting,
       (select count(*) from webhook_events where company_id = :company_id and status = 'failed') as failed;

-- name: scan(after, before, shorts, longs, limit)
-- Look through the next sealed events by their hashes; the last row is where to go on, whether it holds one or not.
with page as materialized (
    select id, company_id, dedupe, topic, received_at, body, sealed, key_id, document_hashes
      from webhook_events
     where id > :after::uuid and received_at < :before and sealed is not null
     order by id
     limit :limit),
looked as (
    select page.*, exists (select from unnest(:shorts::bytea[], :longs::bytea[]) as mark (short, long)
                            where position(mark.short in page.document_hashes) > 0
                               or position(mark.long in page.document_hashes) > 0) as is_hit
      from page)
select id, company_id, dedupe, topic, received_at, body::text as body, sealed, key_id, document_hashes, is_hit
  from looked
 where is_hit or id = (select id from page order by id desc limit 1)
 order by id;

-- name: erase(ids)!
-- Delete the sealed form of events for good; the masked one stays.
update webhook_events set sealed = null, key_id = null, document_hashes = null where id = any(:ids::uuid[]);
