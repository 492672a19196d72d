-- Errands (tarefas): pieces of work that group executions, with the goal in the words of whoever asked.

create table errands (
    id uuid primary key,
    name varchar(100) not null unique,
    goal text not null check (goal <> ''),
    actor varchar(100) not null,
    company_id uuid,
    session_id varchar(100),
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz,
    outcome varchar(20) check (outcome in ('done', 'partial', 'given_up')),
    result text,
    constraint closed_has_an_outcome check ((closed_at is null) = (outcome is null))
);
create index idx_errands_open on errands (actor, opened_at) where closed_at is null;
comment on column errands.name is 'what process_executions.fastmcp_session_id says of the executions of the errand';
comment on column errands.session_id is 'the session of the protocol in which it was opened, where there is one: it tells apart conversations of one token';
