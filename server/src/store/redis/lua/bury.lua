-- A server whose connections were taken for lost is forgotten, unless it has come back since.
-- KEYS nodes, renewed
-- ARGV node, dead (when it was seen to be dead, in milliseconds since 1970)
-- Returns {'ok'}
local nodes, renewed = unpack(KEYS)
local node, dead = unpack(ARGV)
local lease = redis.call('ZSCORE', nodes, node)
if lease and tonumber(lease) <= tonumber(dead) then
  redis.call('ZREM', nodes, node)
  redis.call('HDEL', renewed, node)
end
return {'ok'}
