-- All operations of layout 1 but GET, which needs no script. The layout and
-- what is promised about it: docs/state.md.
--
-- The same text is loaded as a function library (Redis 7) or as a script; the
-- few lines around it that differ are in redis_link.c. Any change of what is
-- stored or answered needs a new layout number, since nodes of several
-- versions may share a Redis.
--
-- KEYS: 1 {ns}:k:KEY  a hash: v = value, n = version, in decimal
--       2 {ns}:seq    the namespace's last version
--       3 {ns}:index  a sorted set of all keys, scores 0: in order of bytes
--       4 {ns}:expiry a sorted set of the keys that expire, by milliseconds
-- ARGV: 1 kind, 2 KEY, and then what the kind needs.
--
-- Answers {'ok', version, size, more} or {status}, numbers as strings: Lua
-- would round what is beyond 53 bits. `more` is an increment's number, a
-- stat's time to live or the bytes of a get-range, and otherwise '0'.

-- One write in so many clears away so many dead keys at most: twice as many
-- as there can have come since.
local SWEEP_EVERY = 16
local SWEEP_MAX = 32

local function now_ms()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Redis drops the hash of an expired key by itself; its place in the index is
-- for us to drop. A key that is due but exists is about to go, or was made
-- anew to stay.
local function sweep(prefix, index, expiry)
    local due = redis.call('ZRANGEBYSCORE', expiry, '-inf', now_ms(),
                           'LIMIT', 0, SWEEP_MAX)
    for _, key in ipairs(due) do
        local left = redis.call('PTTL', prefix .. key)
        if left == -2 then
            redis.call('ZREM', index, key)
        end
        if left < 0 then
            redis.call('ZREM', expiry, key)
        end
    end
end

local function next_version(keys, key)
    local version = redis.call('INCR', keys[2])
    if version % SWEEP_EVERY == 0 then
        sweep(string.sub(keys[1], 1, -1 - #key), keys[3], keys[4])
    end
    return string.format('%.0f', version)
end

local function holds(condition, expected, version)
    if condition == 'absent' then
        return version == '0'
    elseif condition == 'present' then
        return version ~= '0'
    elseif condition == 'version' then
        return version == expected
    end
    return true
end

-- The offset comes as digits; one beyond 53 bits is too big however rounded.
local function put_range(item, value, version, size_max, offset)
    local old = ''
    offset = tonumber(offset)
    if offset + #value > tonumber(size_max) then
        return nil, {'too-big'}
    end
    if version ~= '0' then
        old = redis.call('HGET', item, 'v') or ''
    end
    local sum = string.sub(old, 1, offset) ..
                string.rep('\0', offset - #old) .. value ..
                string.sub(old, offset + #value + 1)
    redis.call('HSET', item, 'v', sum)
    return #sum, '0'
end

-- Changes the value; returns its size and number, or nothing and an answer.
local function change(kind, item, value, version, size_max, offset)
    if kind == 'put' then
        redis.call('HSET', item, 'v', value)
        return #value, '0'
    elseif kind == 'append' then
        local old = ''
        if version ~= '0' then
            old = redis.call('HGET', item, 'v') or ''
        end
        if #old + #value > tonumber(size_max) then
            return nil, {'too-big'}
        end
        redis.call('HSET', item, 'v', old .. value)
        return #old + #value, '0'
    elseif kind == 'put-range' then
        return put_range(item, value, version, size_max, offset)
    end
    local sum = redis.pcall('HINCRBY', item, 'v', value)
    if type(sum) == 'table' and sum.err then
        if string.find(sum.err, 'overflow', 1, true) then
            return nil, {'overflow'}
        elseif string.find(sum.err, 'not an integer', 1, true) then
            return nil, {'not-a-number'}
        end
        return nil, sum
    end
    -- Beyond 53 bits Lua has it only nearly.
    local number = string.format('%.0f', sum)
    if math.abs(sum) >= 2 ^ 53 then
        number = redis.call('HGET', item, 'v')
    end
    return #number, number
end

local function write(keys, args)
    local item, index, expiry = keys[1], keys[3], keys[4]
    local kind, key, condition, expected = args[1], args[2], args[3], args[4]
    local value, ttl, keep, size_max = args[5], args[6], args[7], args[8]

    local version = redis.call('HGET', item, 'n') or '0'
    if not holds(condition, expected, version) then
        return {'conflict', version}
    end
    if kind == 'delete' then
        if version == '0' then
            return {'not-found'}
        end
        redis.call('DEL', item)
        redis.call('ZREM', index, key)
        redis.call('ZREM', expiry, key)
        return {'ok', next_version(keys, key), '0', '0'}
    end
    if kind == 'expire' or kind == 'persist' then
        if version == '0' then
            return {'not-found'}
        elseif kind == 'expire' then
            redis.call('PEXPIRE', item, ttl)
            redis.call('ZADD', expiry, now_ms() + ttl, key)
        elseif redis.call('PERSIST', item) == 1 then
            redis.call('ZREM', expiry, key)
        end
        return {'ok', version, '0', '0'}
    end
    local size, number = change(kind, item, value, version, size_max, args[9])
    if not size then
        return number
    end
    if version == '0' then
        redis.call('ZADD', index, 0, key)
    end
    version = next_version(keys, key)
    redis.call('HSET', item, 'n', version)
    if ttl ~= '0' then
        redis.call('PEXPIRE', item, ttl)
        redis.call('ZADD', expiry, now_ms() + ttl, key)
    elseif kind == 'put' and keep == '0' then
        if redis.call('PERSIST', item) == 1 then
            redis.call('ZREM', expiry, key)
        end
    end
    return {'ok', version, tostring(size), number}
end

local function stat(keys)
    local version = redis.call('HGET', keys[1], 'n')
    if not version then
        return {'not-found'}
    end
    local size = redis.call('HSTRLEN', keys[1], 'v')
    local left = redis.call('PTTL', keys[1])
    if left < 0 then
        left = 0
    end
    return {'ok', version, tostring(size), string.format('%.0f', left)}
end

-- ARGV: 3 the offset, 4 how many bytes at most.
local function get_range(keys, args)
    local found = redis.call('HMGET', keys[1], 'n', 'v')
    if not found[1] then
        return {'not-found'}
    end
    local first = tonumber(args[3]) + 1
    local part = string.sub(found[2], first, first + tonumber(args[4]) - 1)
    return {'ok', found[1], tostring(#found[2]), part}
end

-- ARGV: 3 and 4 the bounds as ZRANGEBYLEX has them, 5 how many at most.
-- Answers {'ok', more, cursor, key, version, size, key, ...}. A key whose hash
-- is gone has expired: it leaves the index and leaves the page shorter.
local function list(keys, args)
    local prefix, index = keys[1], keys[3]
    local want = tonumber(args[5])
    local found = redis.call('ZRANGEBYLEX', index, args[3], args[4],
                             'LIMIT', 0, want + 1)
    local count = math.min(#found, want)
    local answer = {'ok', '0', found[count] or ''}

    if #found > want then
        answer[2] = '1'
    end
    for i = 1, count do
        local version = redis.call('HGET', prefix .. found[i], 'n')
        if version then
            local size = redis.call('HSTRLEN', prefix .. found[i], 'v')
            answer[#answer + 1] = found[i]
            answer[#answer + 1] = version
            answer[#answer + 1] = tostring(size)
        else
            redis.call('ZREM', index, found[i])
        end
    end
    return answer
end

local function run(keys, args)
    if args[1] == 'stat' then
        return stat(keys)
    elseif args[1] == 'list' then
        return list(keys, args)
    elseif args[1] == 'get-range' then
        return get_range(keys, args)
    end
    return write(keys, args)
end
