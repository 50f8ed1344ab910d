-- Ends the stays whose connections were lost and did not come back within the grace.
-- KEYS meeting, participants, connections, owners, grace, presence, log, channel
-- ARGV grace_ms, connections_max
-- Returns {'ok', how many connections were due} | {'gone'}
local meeting, participants, connections, owners, grace, presence, log, channel = unpack(KEYS)

local found = redis.call('HMGET', meeting, 'gen', 'state', 'todatetime')
if not found[1] then return {'gone'} end
local now = now_ms()
-- Whoever is still in when time is up leaves at the end, with everybody.
if found[2] ~= 'active' or now >= tonumber(found[3]) then return {'ok', 0} end
local due = redis.call('ZRANGEBYSCORE', grace, '-inf', now - ARGV[1],
  'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #due, 2 do
  local user = release(connections, owners, grace, presence, due[i])
  local joined = user and redis.call('ZSCORE', participants, user)
  if joined then
    remove(participants, owners, presence, user)
    -- The time of the loss, which is no earlier than the stay's beginning.
    local lost = math.max(tonumber(due[i + 1]), tonumber(joined))
    emit(meeting, log, channel, found[1], 'leave', user, lost, {'reason', 'connection_lost'})
  end
end
return {'ok', #due / 2}
