-- Sets whether the user at a bound connection is idle. A user is idle when all connections of their
-- stay are lost or idle.
-- KEYS meeting, connections, bindings, presence, channel
-- ARGV connection, idle ('1'), idle_ms (for how long)
-- Returns {'ok'} | {'gone'}
local connection, field = ARGV[1], '=' .. ARGV[1]

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
local stay_key = redis.call('HGET', bindings, connection)
-- Ignores a connection that is lost or bound to an ended stay.
if not stay_key or redis.call('HEXISTS', bindings, '#' .. stay_key) == 0 then return {'ok'} end
if not redis.call('ZSCORE', connections, connection) then return {'ok'} end
local since = now_ms() - ARGV[3]
if ARGV[2] == '1' then
  if redis.call('HSETNX', presence, field, string.format('%d', since)) == 1 then
    count_holder(bindings, presence, stay_key, '=', 1)
  end
elseif redis.call('HDEL', presence, field) == 1 then
  count_holder(bindings, presence, stay_key, '=', -1)
end
publish_presence(bindings, presence, channel, stay_key, since)
return {'ok'}
