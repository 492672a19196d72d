-- The months into which executions, bodies and calls are cut.

-- name: make(months)$
-- Make sure of this month and those after it; returns how many partitions were made.
select make_partitions((now() at time zone 'UTC')::date, :months::integer);

-- name: all()
-- Every partition with its size, oldest month first.
select parent.relname as table_name, child.relname as name, right(child.relname, 7) as month,
       pg_total_relation_size(child.oid) as total_bytes, greatest(child.reltuples, 0)::bigint as estimated_rows
  from pg_inherits
  join pg_class parent on parent.oid = inhparent
  join pg_class child on child.oid = inhrelid
 where parent.relkind = 'p' and parent.relnamespace = 'public'::regnamespace
 order by month, table_name;
