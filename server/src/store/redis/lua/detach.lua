-- Marks a connection as lost. The stay that it was bound to ends after the grace period, unless
-- another connection is bound to it.
-- KEYS meeting, connections, bindings, grace, presence, channel
-- ARGV connection, silent_ms (since its last sign of life)
-- Returns {'ok'} | {'gone'}

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
mark_lost(connections, bindings, grace, presence, channel, ARGV[1], now_ms() - ARGV[2])
return {'ok'}
