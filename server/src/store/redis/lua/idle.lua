-- Whether the person at a connection that holds a stay uses it. Who uses none of those that hold
-- theirs is idle.
-- KEYS meeting, connections, owners, presence, channel
-- ARGV connection, idle ('1'), idle_ms (how long it has not been used)
-- Returns {'ok'} | {'gone'}
local meeting, connections, owners, presence, channel = unpack(KEYS)
local connection, field = ARGV[1], '=' .. ARGV[1]

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
local holds = redis.call('HGET', owners, connection)
-- A stay that is over, or a connection that is lost, is nobody's to use.
if not holds or redis.call('HEXISTS', owners, '#' .. holds) == 0 then return {'ok'} end
if not redis.call('ZSCORE', connections, connection) then return {'ok'} end
local since = now_ms() - ARGV[3]
if ARGV[2] == '1' then
  if redis.call('HSETNX', presence, field, string.format('%d', since)) == 1 then
    weigh(owners, presence, holds, '=', 1)
  end
elseif redis.call('HDEL', presence, field) == 1 then
  weigh(owners, presence, holds, '=', -1)
end
show(owners, presence, channel, holds, since)
return {'ok'}
