-- A participant is writing something: told to whoever follows, and kept nowhere.
-- KEYS meeting, participants, channel
-- ARGV gen, user
-- Returns {'ok'} | {'not_participant'} | {'read_only'} | {'muted'} | {'over'} | {'gone'} | {'stale', gen}
local meeting, participants, channel = unpack(KEYS)
local gen, user = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
if found.state ~= 'active' or now_ms() >= found.to then return {'over'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local why_silent = silenced(meeting, found, user)
if why_silent then return why_silent end
redis.call('SPUBLISH', channel, cjson.encode({'typing', user}))
return {'ok'}
