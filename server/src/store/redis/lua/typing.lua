-- Publishes that a participant is typing. Nothing is stored.
-- KEYS meeting, participants, channel
-- ARGV gen, user
-- Returns {'ok'} | {'not_participant'} | {'read_only'} | {'muted'} | {'ended'} | {'gone'}
--       | {'stale', gen}
local gen, user = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
if found.state ~= 'active' or now_ms() >= found.to then return {'ended'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local restriction = restriction_of(meeting, found, user)
if restriction then return restriction end
redis.call('SPUBLISH', channel, cjson.encode({'typing', user}))
return {'ok'}
