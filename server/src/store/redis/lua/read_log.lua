-- Reads a page of the log.
-- KEYS meeting, audience, participants, log, profiles, changes
-- ARGV user, email, admin ('1'), mode ('after' | 'before'), seq, limit
-- Returns {'ok', log head, entries, profiles} | {'not_allowed'} | {'gone'}
local user, email, admin, mode, seq, limit = unpack(ARGV)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, user, email, admin) then return {'not_allowed'} end
local entries, mentioned = log_page(log, profiles, changes, mode, seq, limit)
return {'ok', log_head(meeting, log), entries, mentioned}
