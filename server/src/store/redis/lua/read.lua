-- A page of the log.
-- KEYS meeting, audience, participants, log, people, changed
-- ARGV user, email, admin ('1'), mode ('after' | 'before'), seq, limit
-- Returns {'ok', head, entries, profiles} | {'not_allowed'} | {'gone'}
local meeting, audience, participants, log, people, changed = unpack(KEYS)
local user, email, admin, mode, seq, limit = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
local entries, spoken_of = page(log, people, changed, mode, seq, limit)
return {'ok', head(meeting, log), entries, spoken_of}
