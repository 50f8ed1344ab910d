-- Reads an instance for a new follower, and binds their connection to their stay, if they have one.
-- KEYS meeting, audience, participants, connections, bindings, grace, log, profiles, changes, presence,
--      channel
-- ARGV user, email, admin ('1'), connection ('' if none), limit (events)
-- Returns {'ok', log head, facts (title, description, isPublic, fromdatetime, todatetime, and as '1' or
--          '': locked, read-only, the user is muted), stays, their profiles, entries, their profiles,
--          absences} | {'not_allowed'} | {'gone'}
local user, email, admin, connection = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
bind(connections, bindings, grace, presence, channel, connection, user)

local found = log_head(meeting, log)
local facts = redis.call('HMGET', meeting,
  'title', 'description', 'isPublic', 'fromdatetime', 'todatetime')
for i, flag in ipairs(redis.call('HMGET', meeting, 'locked', 'readOnly', 'muted:' .. user)) do
  facts[5 + i] = flag and '1' or ''
end
local here, here_profiles = list_stays(participants, bindings, profiles)
local entries, mentioned = log_page(log, profiles, changes, 'before', found[2] + 1, ARGV[5])
return {'ok', found, facts, here, here_profiles, entries, mentioned, list_absences(presence)}
