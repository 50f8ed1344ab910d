-- Lists the participants.
-- KEYS meeting, audience, participants, bindings, profiles, presence
-- ARGV user, email, admin ('1')
-- Returns {'ok', title, {user, joined, …}, {user, profile, …}, absences} | {'not_allowed'} | {'gone'}

local title = redis.call('HGET', meeting, 'title')
if not title then return {'gone'} end
if not may_read(meeting, audience, participants, ARGV[1], ARGV[2], ARGV[3]) then
  return {'not_allowed'}
end
local here, known = list_stays(participants, bindings, profiles)
return {'ok', title, here, known, list_absences(presence)}
