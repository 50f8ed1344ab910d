-- Unbinds a connection: it is lost from now on, if it was not before. If no other connection is bound
-- to its stay, the stay ends.
-- KEYS meeting, participants, connections, bindings, grace, presence, log, channel
-- ARGV connection, reason
-- Returns {'ok'} | {'gone'}
local connection, reason = unpack(ARGV)

local found = redis.call('HMGET', meeting, 'gen', 'state', 'todatetime')
if not found[1] then return {'gone'} end
local now = now_ms()
mark_lost(connections, bindings, grace, presence, channel, connection, now)
-- Once the end has come, everybody leaves by close.lua.
if found[2] ~= 'active' or now >= tonumber(found[3]) then return {'ok'} end
local lost = redis.call('ZSCORE', grace, connection)
if not lost then return {'ok'} end
local user = release(connections, bindings, grace, presence, connection)
local joined = user and redis.call('ZSCORE', participants, user)
if joined then
  end_stay(participants, bindings, presence, user)
  -- The time of the loss, but not before the stay began.
  local time = math.max(tonumber(lost), tonumber(joined))
  emit(meeting, log, channel, found[1], 'leave', user, time, {'reason', reason})
end
return {'ok'}
