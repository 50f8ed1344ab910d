-- A connection is gone: the stay that it held ends after the grace unless it is held otherwise.
-- KEYS meeting, connections, grace
-- ARGV connection, silent_ms (since its last sign of life)
-- Returns {'ok'} | {'gone'}
local meeting, connections, grace = unpack(KEYS)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if redis.call('ZREM', connections, ARGV[1]) == 1 then
  redis.call('ZADD', grace, now_ms() - ARGV[2], ARGV[1])
end
return {'ok'}
