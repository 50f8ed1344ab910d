-- A connection is gone: the stay that it held ends after the grace unless it is held otherwise.
-- KEYS meeting, connections, owners, grace, presence, channel
-- ARGV connection, silent_ms (since its last sign of life)
-- Returns {'ok'} | {'gone'}
local meeting, connections, owners, grace, presence, channel = unpack(KEYS)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
lose(connections, owners, grace, presence, channel, ARGV[1], now_ms() - ARGV[2])
return {'ok'}
