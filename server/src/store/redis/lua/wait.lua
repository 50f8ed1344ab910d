-- Starts, renews or stops waiting for a scheduled instance, and lists who waits. An entry that is not
-- renewed expires.
-- KEYS waiting, waiting_names, channel
-- ARGV what ('look' | 'wait' | 'stop'), user, name, for_ms (until an entry expires), limit,
--      expired_max (entries removed per call)
-- Returns {'ok', count, {user, …}, {name, …}}
local what, user, name, for_ms, limit, expired_max = unpack(ARGV)
local now = now_ms()

local function publish_waiting(who, who_name, waits)
  local count = redis.call('ZCARD', waiting)
  redis.call('SPUBLISH', channel, cjson.encode({'waiting', who, who_name, waits, string.format('%d', count)}))
end
local function forget(who)
  if redis.call('ZREM', waiting, who) == 0 then return end
  local who_name = redis.call('HGET', waiting_names, who)
  redis.call('HDEL', waiting_names, who)
  publish_waiting(who, who_name or '', '')
end

local expired = redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, expired_max)
for _, who in ipairs(expired) do forget(who) end
if what == 'wait' then
  local is_new = redis.call('ZADD', waiting, now + for_ms, user) == 1
  redis.call('HSET', waiting_names, user, name)
  redis.call('PEXPIRE', waiting, for_ms)
  redis.call('PEXPIRE', waiting_names, for_ms)
  if is_new then publish_waiting(user, name, '1') end
elseif what == 'stop' then
  forget(user)
end

local some = redis.call('ZRANGE', waiting, 0, limit - 1)
local names = {}
if #some > 0 then names = redis.call('HMGET', waiting_names, unpack(some)) end
return {'ok', redis.call('ZCARD', waiting), some, names}
