-- Ends the stays whose connections were all lost longer than the grace period ago.
-- KEYS meeting, participants, connections, bindings, grace, presence, log, channel
-- ARGV grace_ms, connections_max
-- Returns {'ok', how many connections were due} | {'gone'}

local found = redis.call('HMGET', meeting, 'gen', 'state', 'todatetime')
if not found[1] then return {'gone'} end
local now = now_ms()
-- Once the end has come, everybody leaves by close.lua.
if found[2] ~= 'active' or now >= tonumber(found[3]) then return {'ok', 0} end
local due = redis.call('ZRANGEBYSCORE', grace, '-inf', now - ARGV[1],
  'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #due, 2 do
  local user = release(connections, bindings, grace, presence, due[i])
  local joined = user and redis.call('ZSCORE', participants, user)
  if joined then
    end_stay(participants, bindings, presence, user)
    -- The time of the loss, but not before the stay began.
    local lost = math.max(tonumber(due[i + 1]), tonumber(joined))
    emit(meeting, log, channel, found[1], 'leave', user, lost, {'reason', 'connection_lost'})
  end
end
return {'ok', #due / 2}
