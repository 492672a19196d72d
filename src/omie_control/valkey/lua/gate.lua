-- All rules of the gate, decided at once on this server's clock. KEYS[1]: the state of one egress, whose hash tag
-- every other key shares. ARGV: the verb, the epoch that the caller believes in, and its arguments as JSON.
-- Instants are whole milliseconds. domain/gate_rules.py says the same in Python, for when this server is away.
-- The limits are part of the text: valkey/gate.py writes the number of each `L.…` in.
local base = string.sub(KEYS[1], 1, -6)
local verb, epoch, a = ARGV[1], ARGV[2], cjson.decode(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local held = math.ceil(L.window + L.margin)
local state, calls, waiters = KEYS[1], base .. 'calls', base .. 'waiters'
local served, lines, channel = base .. 'served', base .. 'lines', base .. 'wake'
local DAY = 86400000

local function of(kind, line) return base .. kind .. ':' .. line end
local function keep(key, ms) redis.call('PEXPIRE', key, math.ceil(ms)) end

local function standing(line)
    local h = redis.call('HMGET', of('line', line), 'errors', 'opens', 'patient', 'pause', 'busy', 'lone')
    return {errors = tonumber(h[1] or 0), opens = tonumber(h[2] or 0), patient = tonumber(h[3] or 0),
            pause = tonumber(h[4] or 0), busy = tonumber(h[5] or 0), lone = tonumber(h[6] or 0)}
end

-- Places at once and calls of this minute that a line still has.
local function room(line, writes, s)
    local window, running = of('window', line), of('running', line)
    redis.call('ZREMRANGEBYSCORE', window, '-inf', now)
    redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
    local most = (writes or s.lone > now) and L.writes_at_once or L.reads_at_once
    if s.errors >= L.errors_open then
        most = 1
    else
        most = math.min(most, L.errors_most - s.errors)
    end
    return {places = most - redis.call('ZCARD', running), left = L.per_method - redis.call('ZCARD', window)}
end

-- Give the free places away in order, up to and with `me`; returns whether mine is among them, how many stand
-- before me in my line and in all, and the others who got one.
local function deal(me, mine)
    local function ticks(name)
        return tonumber(redis.call('HGET', served, name) or 0)
    end

    -- Those who wait and could go, in the order in which places are theirs: interactive first, then company by company,
    -- within a company caller by caller, within a caller in order of arrival.
    local function queue()
        local raw, all, memo = redis.call('HGETALL', waiters), {}, {}
        local function last(name)
            if memo[name] == nil then memo[name] = ticks(name) end
            return memo[name]
        end
        for i = 1, #raw, 2 do
            local w = cjson.decode(raw[i + 1])
            if w.expires < now then
                redis.call('HDEL', waiters, raw[i])
            elseif w.from <= now then
                w.id, w.asked, w.person = raw[i], tonumber(w.asked), w.company .. '\31' .. w.caller
                all[#all + 1] = w
            end
        end
        local function number(field, group, before)
            table.sort(all, before)
            local counts = {}
            for _, w in ipairs(all) do
                local g = w.class .. '\31' .. group(w)
                counts[g] = (counts[g] or 0) + 1
                w[field] = counts[g]
            end
        end
        local function older(x, y)
            if x.asked ~= y.asked then return x.asked < y.asked end
            return x.id < y.id
        end
        number('nth', function(w) return w.person end, older)
        number('round', function(w) return w.company end, function(x, y)
            if x.nth ~= y.nth then return x.nth < y.nth end
            local p, q = last(x.person), last(y.person)
            if p ~= q then return p < q end
            return older(x, y)
        end)
        table.sort(all, function(x, y)
            if x.class ~= y.class then return x.class < y.class end
            if x.round ~= y.round then return x.round < y.round end
            local p, q = last(x.company), last(y.company)
            if p ~= q then return p < q end
            return older(x, y)
        end)
        return all
    end

    redis.call('ZREMRANGEBYSCORE', calls, '-inf', now)
    local free, rooms, ahead, before, others = L.per_egress - redis.call('ZCARD', calls), {}, 0, 0, {}
    for _, w in ipairs(queue()) do
        local r = rooms[w.line]
        if r == nil then
            r = room(w.line, w.writes, standing(w.line))
            rooms[w.line] = r
        end
        local has = free > 0 and r.places > 0 and r.left > 0
        if w.id == me then return has, ahead, before, others end
        if has then
            free, r.places, r.left = free - 1, r.places - 1, r.left - 1
            others[#others + 1] = w.id
        end
        before = before + 1
        if w.line == mine then ahead = ahead + 1 end
    end
    return false, ahead, before, others
end

local function wake(ids)
    if #ids > 0 then redis.call('PUBLISH', channel, table.concat(ids, ' ')) end
end

local function keep_line(line)
    local ttl = L.lease + 2 * held
    keep(calls, ttl)
    keep(of('window', line), ttl)
    keep(of('running', line), ttl)
    keep(of('digest', line), ttl)
end

local function store(line, s)
    local key = of('line', line)
    redis.call('HSET', key, 'errors', s.errors, 'opens', math.ceil(s.opens), 'patient', math.ceil(s.patient),
               'pause', math.ceil(s.pause), 'busy', s.busy, 'lone', math.ceil(s.lone))
    keep(key, math.max(L.lone, 2 * L.block))
end

if verb == 'seed' then
    -- Begin anew from what the book remembers; only from the epoch that the caller saw, so that two cannot both do it.
    local function seed()
        if (redis.call('HGET', state, 'epoch') or '') ~= a.seen then return {'late'} end
        for _, line in ipairs(redis.call('SMEMBERS', lines)) do
            redis.call('DEL', of('window', line), of('running', line), of('digest', line))
        end
        redis.call('DEL', calls, lines, waiters, state)
        local ttl = L.lease + 2 * held
        for _, p in ipairs(a.passages) do
            local id, line = p[1], p[2]
            redis.call('ZADD', calls, now + p[3], id)
            if line ~= '' then
                redis.call('SADD', lines, line)
                redis.call('ZADD', of('window', line), now + p[3], id)
                if p[4] > 0 then redis.call('ZADD', of('running', line), now + p[4], id) end
                if p[5] > 0 then redis.call('ZADD', of('digest', line), 'GT', now + p[5], p[6]) end
                keep(of('window', line), ttl) keep(of('running', line), ttl) keep(of('digest', line), ttl)
            end
        end
        for _, l in ipairs(a.lines) do
            store(l[1], {errors = l[2], opens = now + l[3], patient = now + l[4], pause = now + l[5], busy = l[6],
                         lone = l[7] > 0 and now + l[7] or 0})
        end
        for _, b in ipairs(a.blocks) do
            local at = string.format('%.0f', now + b[2])
            redis.call('SET', of('block', b[1]), at, 'PXAT', at)
        end
        redis.call('HSET', state, 'epoch', epoch)
        keep(calls, ttl) keep(lines, DAY) keep(state, DAY)
        return {'ok'}
    end
    return seed()
end
-- Sent with the script itself, when the server no longer knew it: it was restarted or another took over, and what
-- it still has may lack its last second.
if verb == 'forget' then redis.call('DEL', state) return {'epoch', ''} end
if verb == 'block' then
    local function block()
        local key = of('block', a.app_key)
        local at = math.max(math.ceil(now + a.block_for), tonumber(redis.call('GET', key) or 0))
        redis.call('SET', key, string.format('%.0f', at), 'PXAT', string.format('%.0f', at))
        return {'ok'}
    end
    return block()
end

local current = redis.call('HGET', state, 'epoch') or ''
if current ~= epoch then return {'epoch', current} end

if verb == 'enter' then
    -- Before when this call cannot go, whoever else waits; and why.
    local function not_before(line, digest, eager, s)
        local at, why = 0, ''
        local repeats = tonumber(redis.call('ZSCORE', of('digest', line), digest) or 0)
        if repeats > now then at, why = math.min(repeats, now + held), 'redundant' end
        if s.pause > now and s.pause > at then at, why = s.pause, 'pause' end
        if s.errors >= L.errors_open then
            local opens = eager and s.opens or s.patient
            if opens > now and opens > at then at, why = opens, 'breaker' end
        end
        return at, why
    end

    local function admit(line, left)
        local lease = math.ceil(now + L.lease)
        local until_ = lease + held
        local window, running = of('window', line), of('running', line)
        local has = redis.call('PTTL', window)
        redis.call('ZADD', calls, until_, a.id)
        redis.call('ZADD', window, until_, a.id)
        redis.call('ZADD', running, lease, a.id)
        redis.call('ZADD', of('digest', line), until_, a.digest)
        -- While a window has entries, the egress has them too, and digests are only ever swept when a fresh one is
        -- there: the three are renewed together, when what is left would not outlive this call. Of those who run, the
        -- last one takes the key along.
        if has < L.lease + held + 1000 then keep_line(line) else keep(running, L.lease + 2 * held) end
        local tick = redis.call('HINCRBY', state, 'tick', 1)
        local is_new = redis.call('SADD', lines, line) + redis.call(
            'HSET', served, a.company, tick, a.company .. '\31' .. a.caller, tick) > 0
        -- What is only swept or refreshed now and then, so that the usual call stays cheap.
        if is_new or tick % 32 == 0 then
            keep(lines, DAY)
            keep(state, DAY)
            keep(served, DAY)
            redis.call('ZREMRANGEBYSCORE', of('digest', line), '-inf', now)
            if redis.call('HLEN', served) > 10000 then redis.call('DEL', served) end
        end
        return {'go', left - 1}
    end

    local function turn_away(at, why)
        redis.call('HDEL', waiters, a.id)
        return {'away', math.max(1, at - now), why}
    end

    -- When the window has room for one more than `ahead` others, or nil when it has it now.
    local function window_opens(key, most, ahead)
        local short = redis.call('ZCARD', key) - most + ahead
        if short < 0 then return nil end
        local entry = redis.call('ZRANGE', key, short, short, 'WITHSCORES')
        return math.min(tonumber(entry[2] or now + held), now + held)
    end

    local function stand(line, from)
        -- In microseconds, for two may come within a millisecond; as text, for cjson writes fourteen digits.
        local asked = string.format('%.0f', clock[1] * 1000000 + clock[2] - a.waited * 1000)
        redis.call('HSET', waiters, a.id, cjson.encode({
            line = line, writes = a.writes, company = a.company, caller = a.caller, class = a.class,
            asked = asked, expires = now + L.waiter, from = from}))
        keep(waiters, 2 * L.waiter)
    end

    local function wait_in_line(line, from, at, why, is_full)
        if is_full then return turn_away(now + L.waiter, 'queue') end
        stand(line, from)
        return {'wait', math.max(1, at - now), why}
    end

    local function enter()
        local line = a.app_key .. ':' .. a.endpoint
        local blocked = tonumber(redis.call('GET', of('block', a.app_key)) or 0)
        if blocked > now then return turn_away(blocked, 'block') end
        redis.call('ZREMRANGEBYSCORE', calls, '-inf', now)
        local s = standing(line)
        local from, why = not_before(line, a.digest, a.eager, s)
        local latest = now + a.patience
        if from > latest then return turn_away(from, why) end
        local waiting = redis.call('HLEN', waiters)
        local is_full = waiting >= L.most_waiters and redis.call('HEXISTS', waiters, a.id) == 0
        if from > now then return wait_in_line(line, from, from, why, is_full) end
        local r = room(line, a.writes, s)
        local free = L.per_egress - redis.call('ZCARD', calls)
        local ahead, before = 0, 0
        if waiting > 0 then
            stand(line, now)
            local mine, others
            mine, ahead, before, others = deal(a.id, line)
            if mine then
                redis.call('HDEL', waiters, a.id)
                return admit(line, r.left)
            end
            if others[1] ~= nil then wake(others) end
        elseif r.places > 0 and r.left > 0 and free > 0 then
            return admit(line, r.left)
        end
        local opens = window_opens(of('window', line), L.per_method, ahead)
        local outside = window_opens(calls, L.per_egress, before)
        if outside and (not opens or outside > opens) then opens = outside end
        if opens and opens > latest then return turn_away(opens, 'rate') end
        if opens then return wait_in_line(line, now, opens, 'rate', is_full) end
        return wait_in_line(line, now, now + L.waiter, 'crowd', is_full)
    end
    return enter()
end

-- A call that left counts for `counts_for` more; one that never was sent counts no more.
local function settle(line)
    local is_new = 0
    if a.counts_for > 0 then
        is_new = redis.call('ZADD', calls, now + a.counts_for, a.id)
        redis.call('ZADD', of('window', line), now + a.counts_for, a.id)
    else
        redis.call('ZREM', calls, a.id)
        redis.call('ZREM', of('window', line), a.id)
    end
    if a.running_for > 0 then
        redis.call('ZADD', of('running', line), now + a.running_for, a.id)
        keep(of('running', line), L.lease + 2 * held)
    else
        redis.call('ZREM', of('running', line), a.id)
    end
    redis.call('ZADD', of('digest', line), now + a.repeats_for, a.digest)
    -- One that is still known has had its time of life set when it entered; REDUNDANT may outlive that.
    if is_new == 1 or a.repeats_for > held then keep_line(line) end
end

if verb == 'leave' then
    -- What a verdict teaches about its line; false when there was nothing to learn.
    local function learn(line, verdict, seconds)
        local s = standing(line)
        if verdict == 'not_sent' then return false end
        if verdict == 'done' then
            if s.errors == 0 and s.busy == 0 then return false end
            s.errors, s.busy, s.opens, s.patient = 0, 0, 0, 0
            return s
        end
        s.errors = s.errors + 1
        if verdict == 'blocked' then
            s.errors, s.opens, s.patient = 0, 0, 0
        elseif verdict == 'refused_busy' then
            s.busy, s.lone = s.busy + 1, now + L.lone
            local rest = s.busy > 1 and L.busy_again or L.busy_first
            s.pause = math.max(s.pause, now + math.max(rest, seconds + L.margin))
        elseif verdict == 'refused_rate' then
            s.pause = math.max(s.pause, now + math.max(held, seconds + L.margin))
        end
        if s.errors >= L.errors_open then
            local pause = L.block
            if s.errors < L.errors_most then pause = math.min(L.pause * 2 ^ (s.errors - L.errors_open), L.block) end
            s.opens, s.patient = now + pause, now + 2 * pause
        end
        return s
    end

    local function told(s)
        if not s then return {} end
        local function span(at) return math.max(0, math.ceil(at - now)) end
        return {s.errors, span(s.opens), span(s.patient), span(s.pause), s.busy, span(s.lone)}
    end

    local function leave()
        local line = a.app_key .. ':' .. a.endpoint
        settle(line)
        local s = a.verdict ~= nil and learn(line, a.verdict, a.seconds)
        if s then store(line, s) end
        if redis.call('HLEN', waiters) > 0 then
            local _, _, _, others = deal('', line)
            wake(others)
        end
        return told(s)
    end
    return leave()
end

-- One who waited gives up; one who was let through without hearing of it has sent nothing.
local function abandon()
    local line = a.app_key .. ':' .. a.endpoint
    redis.call('HDEL', waiters, a.id)
    if redis.call('ZSCORE', of('running', line), a.id) then settle(line) end
    if redis.call('HLEN', waiters) > 0 then
        local _, _, _, others = deal('', line)
        wake(others)
    end
    return {'ok'}
end

return abandon()
