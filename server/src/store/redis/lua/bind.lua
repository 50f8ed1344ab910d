-- Checks that a follower may still read, and binds their connection to their stay, if they have one.
-- The connection may have been marked lost while this server stood still, or the stay may be new.
-- KEYS meeting, audience, participants, connections, bindings, grace, presence, channel
-- ARGV user, email, admin ('1'), connection
-- Returns {'ok'} | {'not_allowed'} | {'gone'}
local user, email, admin, connection = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
bind(connections, bindings, grace, presence, channel, connection, user)
return {'ok'}
