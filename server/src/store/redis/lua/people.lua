-- Who is in, since when.
-- KEYS meeting, audience, participants, owners, people
-- ARGV user, email, admin ('1')
-- Returns {'ok', title, {user, joined, …}, {user, profile, …}} | {'not_allowed'} | {'gone'}
local meeting, audience, participants, owners, people = unpack(KEYS)

local title = redis.call('HGET', meeting, 'title')
if not title then return {'gone'} end
if not may_read(meeting, audience, participants, ARGV[1], ARGV[2], ARGV[3]) then
  return {'not_allowed'}
end
local here, known = stays(participants, owners, people)
return {'ok', title, here, known}
