-- Who waits for an instance to begin. Whoever does says so again and again; who does not is forgotten.
-- KEYS waiting, waiters, channel
-- ARGV what ('looks', 'waits', 'stops'), user, name, for_ms (how long it holds), limit, forget_max
-- Returns {'ok', count, {user, …}, {name, …}}
local waiting, waiters, channel = unpack(KEYS)
local what, user, name, for_ms, limit, forget_max = unpack(ARGV)
local now = now_ms()

local function tell(who, called, waits)
  local count = redis.call('ZCARD', waiting)
  redis.call('SPUBLISH', channel, cjson.encode({'waiting', who, called, waits, count}))
end
local function forget(who)
  if redis.call('ZREM', waiting, who) == 0 then return end
  local called = redis.call('HGET', waiters, who)
  redis.call('HDEL', waiters, who)
  tell(who, called or '', '')
end

local late = redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, forget_max)
for _, who in ipairs(late) do forget(who) end
if what == 'waits' then
  local is_new = redis.call('ZADD', waiting, now + for_ms, user) == 1
  redis.call('HSET', waiters, user, name)
  redis.call('PEXPIRE', waiting, for_ms)
  redis.call('PEXPIRE', waiters, for_ms)
  if is_new then tell(user, name, '1') end
elseif what == 'stops' then
  forget(user)
end

local some = redis.call('ZRANGE', waiting, 0, limit - 1)
local called = {}
if #some > 0 then called = redis.call('HMGET', waiters, unpack(some)) end
return {'ok', redis.call('ZCARD', waiting), some, called}
