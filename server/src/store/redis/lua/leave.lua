-- A user is a participant no longer, because they say so.
-- KEYS meeting, participants, owners, presence, log, channel
-- ARGV gen, user
-- Returns {'ok', seq, time} | {'not_participant'} | {'over'} | {'gone'} | {'stale', gen}
local meeting, participants, owners, presence, log, channel = unpack(KEYS)
local gen, user = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'over'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end

remove(participants, owners, presence, user)
local seq = emit(meeting, log, channel, gen, 'leave', user, now, {'reason', 'left'})
return {'ok', seq, now}
