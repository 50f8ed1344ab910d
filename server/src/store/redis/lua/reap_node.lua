-- The connections of a server that is dead are lost since its last sign of life; not those that it was
-- told of later, for then it lived on.
-- KEYS meeting, connections, owners, grace, presence, channel
-- ARGV node, lost (when, in milliseconds since 1970), dead (when it was seen to be dead)
-- Returns {'ok', how many live on} | {'gone'}
local meeting, connections, owners, grace, presence, channel = unpack(KEYS)
local node, lost, dead = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
-- Members are 'node.number', and '/' is the character after '.'.
local found = redis.call('ZRANGEBYLEX', connections, '[' .. node .. '.', '(' .. node .. '/')
local living = 0
for _, connection in ipairs(found) do
  if tonumber(redis.call('HGET', owners, '~' .. connection) or 0) > tonumber(dead) then
    living = living + 1
  else
    lose(connections, owners, grace, presence, channel, connection, lost)
  end
end
return {'ok', living}
