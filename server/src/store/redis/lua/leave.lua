-- Lets a participant leave at their own request.
-- KEYS meeting, participants, bindings, presence, log, channel
-- ARGV gen, user
-- Returns {'ok', seq, time} | {'not_participant'} | {'ended'} | {'gone'} | {'stale', gen}
local gen, user = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'ended'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end

end_stay(participants, bindings, presence, user)
now = event_time(meeting, found, now)
local seq = emit(meeting, log, channel, gen, 'leave', user, now, {'reason', 'left'})
return {'ok', seq, now}
