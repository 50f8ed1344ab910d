-- Removes a dead server from the list of servers, unless it renewed its lease after `dead`.
-- KEYS nodes, renewed
-- ARGV node, dead (when it was found dead, in milliseconds since 1970)
-- Returns {'ok'}
local node, dead = unpack(ARGV)
local lease = redis.call('ZSCORE', nodes, node)
if lease and tonumber(lease) <= tonumber(dead) then
  redis.call('ZREM', nodes, node)
  redis.call('HDEL', renewed, node)
end
return {'ok'}
