-- The connections of a server that is dead are lost since its last sign of life.
-- KEYS meeting, connections, grace
-- ARGV node, lost (when, in milliseconds since 1970)
-- Returns {'ok', how many} | {'gone'}
local meeting, connections, grace = unpack(KEYS)
local node, lost = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
-- Members are 'node.number', and '/' is the character after '.'.
local found = redis.call('ZRANGEBYLEX', connections, '[' .. node .. '.', '(' .. node .. '/')
for _, connection in ipairs(found) do
  redis.call('ZREM', connections, connection)
  redis.call('ZADD', grace, lost, connection)
end
return {'ok', #found}
