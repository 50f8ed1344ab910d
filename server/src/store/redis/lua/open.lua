-- Reads an instance for somebody who follows it from here on, and binds their connection to their
-- stay, if they are in.
-- KEYS meeting, audience, participants, connections, owners, grace, log, people, changed, presence,
--      channel
-- ARGV user, email, admin ('1'), connection ('': none), limit
-- Returns {'ok', head, facts (title, description, isPublic, fromdatetime, todatetime),
--          stays, profiles, entries, profiles, absences} | {'not_allowed'} | {'gone'}
local meeting, audience, participants, connections, owners, grace, log, people, changed, presence,
  channel = unpack(KEYS)
local user, email, admin, connection = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
bind(connections, owners, grace, presence, channel, connection, user)

local found = head(meeting, log)
local facts = redis.call('HMGET', meeting,
  'title', 'description', 'isPublic', 'fromdatetime', 'todatetime')
local here, here_profiles = stays(participants, owners, people)
local entries, spoken_of = page(log, people, changed, 'before', found[2] + 1, ARGV[5])
return {'ok', found, facts, here, here_profiles, entries, spoken_of, absences(presence)}
