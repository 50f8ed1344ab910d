-- Whether somebody who follows still may; if they are in, their connection holds their stay. It may
-- have been taken for lost while this server stood still, or the stay is a new one.
-- KEYS meeting, audience, participants, connections, owners, grace, presence, channel
-- ARGV user, email, admin ('1'), connection
-- Returns {'ok'} | {'not_allowed'} | {'gone'}
local meeting, audience, participants, connections, owners, grace, presence, channel = unpack(KEYS)
local user, email, admin, connection = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
bind(connections, owners, grace, presence, channel, connection, user)
return {'ok'}
