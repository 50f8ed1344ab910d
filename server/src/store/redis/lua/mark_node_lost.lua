-- Marks the connections of a dead server as lost, except those that it bound after `dead`.
-- KEYS meeting, connections, bindings, grace, presence, channel
-- ARGV node, lost (its last sign of life), dead (when it was found dead), in milliseconds since 1970
-- Returns {'ok', how many connections are still alive} | {'gone'}
local node, lost, dead = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
-- Members are 'node.number'; '/' follows '.' in ASCII.
local found = redis.call('ZRANGEBYLEX', connections, '[' .. node .. '.', '(' .. node .. '/')
local alive = 0
for _, connection in ipairs(found) do
  if tonumber(redis.call('HGET', bindings, '~' .. connection) or 0) > tonumber(dead) then
    alive = alive + 1
  else
    mark_lost(connections, bindings, grace, presence, channel, connection, lost)
  end
end
return {'ok', alive}
