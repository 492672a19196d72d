-- name: claim(id, company_id, month, wrapped, master_key_id)^
-- Store a new data key. No row: another process was faster, and its key is the one.
insert into data_keys (id, company_id, month, wrapped, master_key_id)
values (:id, :company_id, :month, :wrapped, :master_key_id)
on conflict (company_id, month) do nothing
returning id, company_id, month, wrapped, master_key_id;

-- name: of_month(company_id, month)^
-- The data key of a company and month.
select id, company_id, month, wrapped, master_key_id from data_keys where company_id = :company_id and month = :month;

-- name: find(id)^
-- One data key.
select id, company_id, month, wrapped, master_key_id from data_keys where id = :id;

-- name: masters()
-- Every master key that something here is sealed under.
select master_key_id from data_keys union select credentials_key from companies order by 1;
