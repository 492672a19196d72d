-- Recurring work. Any number of schedulers may look: a turn is claimed by one of them.

-- name: register(name, every)!
-- Make sure of a schedule; one that an operator has changed stays changed.
insert into schedules (name, every) values (:name, :every) on conflict (name) do nothing;

-- name: claim_due(names)^
-- Of those that the caller can run, take the schedule that is due the longest, and put its next turn a full span ahead:
-- what was missed is not made up.
update schedules
   set next_run_at = clock_timestamp() + every, last_started_at = clock_timestamp()
 where name = (select name from schedules
                where is_active and next_run_at <= clock_timestamp() and name = any(:names::text[])
                order by next_run_at limit 1
                  for update skip locked)
returning name, every, is_active, next_run_at, last_started_at, last_ended_at, last_error, runs;

-- name: note_outcome(name, error)!
-- Note how a turn ended; a null error is a good end.
update schedules
   set last_ended_at = clock_timestamp(), last_error = :error, runs = runs + 1
 where name = :name;

-- name: all()
-- Every schedule, by name.
select name, every, is_active, next_run_at, last_started_at, last_ended_at, last_error, runs
  from schedules order by name;
