-- The schema as statements, told by the database's own catalogue. Months (partitions) are left out, they come and
-- go; so is what one version of PostgreSQL writes otherwise than another.

-- name: enums()
-- Each enum with its values in order.
select format('create type %I as enum (%s);', typname,
              (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
                 from pg_enum where enumtypid = t.oid))
  from pg_type t
 where typtype = 'e' and typnamespace = 'public'::regnamespace
 order by typname;

-- name: functions()
-- Each function, in the order in which they were made, since one may stand in another's body.
select pg_get_functiondef(oid) || ';'
  from pg_proc
 where pronamespace = 'public'::regnamespace and prokind = 'f'
 order by oid;

-- name: sequences()
-- Each sequence behind a number that counts up.
select format('create sequence %I as %s;', relname, format_type(seqtypid, null))
  from pg_class join pg_sequence on seqrelid = oid
 where relkind = 'S' and relnamespace = 'public'::regnamespace
 order by relname;

-- name: tables()
-- Each table with its columns in order and its own constraints.
select format(E'create table %I (\n    %s\n)%s%s;', relname,
              (select string_agg(part, E',\n    ' order by place, part)
                 from (select attnum::integer as place,
                              format('%I %s', attname, format_type(atttypid, atttypmod))
                              || case when attnotnull then ' not null' else '' end
                              || coalesce(' default ' || pg_get_expr(adbin, adrelid), '') as part
                         from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
                        where attrelid = c.oid and attnum > 0 and not attisdropped
                       union all
                       select 9000 + strpos('puc', contype::text),
                              format('constraint %I %s', conname, pg_get_constraintdef(oid))
                         from pg_constraint where conrelid = c.oid and contype in ('p', 'u', 'c')) as parts),
              coalesce(' partition by ' || pg_get_partkeydef(oid), ''),
              coalesce(' with (' || array_to_string(reloptions, ', ') || ')', ''))
  from pg_class c
 where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition
   and relname <> 'schema_migrations'
 order by relname;

-- name: storage()
-- Each column that is kept as it comes, without a try to compress it.
select format('alter table %I alter column %I set storage external;', relname, attname)
  from pg_class c join pg_attribute on attrelid = c.oid
 where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition
   and attnum > 0 and attstorage = 'e'
 order by relname, attname;

-- name: foreign_keys()
-- Each reference from one table to another.
select format('alter table %I add constraint %I %s;', relname, conname, pg_get_constraintdef(pg_constraint.oid))
  from pg_constraint join pg_class c on c.oid = conrelid
 where contype = 'f' and relnamespace = 'public'::regnamespace and not relispartition
 order by relname, conname;

-- name: indexes()
-- Each index that no constraint made.
select replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') || ';'
  from pg_index i join pg_class t on t.oid = i.indrelid
 where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
   and not exists (select from pg_constraint where conindid = i.indexrelid)
 order by i.indexrelid::regclass::text;

-- name: views()
-- Each view, in the order in which they were made.
select format(E'create view %I as\n%s', relname, pg_get_viewdef(oid))
  from pg_class
 where relkind = 'v' and relnamespace = 'public'::regnamespace
 order by oid;

-- name: comments()
-- Each comment on a table or a column.
select format('comment on %s %s is %L;', case objsubid when 0 then 'table' else 'column' end,
              quote_ident(relname) || coalesce('.' || quote_ident(attname), ''), description)
  from pg_description
  join pg_class c on objoid = c.oid and classoid = 'pg_class'::regclass
  left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0
 where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition
 order by relname, objsubid;
