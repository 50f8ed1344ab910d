-- A connection is gone, or follows no longer.
-- KEYS meeting, connections, owners, grace
-- ARGV connection, mode ('lost': the stay ends after the grace unless it is held otherwise;
--      'keep': the stay goes on without this connection)
-- Returns {'ok'} | {'gone'}
local meeting, connections, owners, grace = unpack(KEYS)
local connection, mode = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if redis.call('ZREM', connections, connection) == 0 then return {'ok'} end
if mode == 'lost' then
  redis.call('ZADD', grace, now_ms(), connection)
else
  redis.call('HDEL', owners, connection)
end
return {'ok'}
