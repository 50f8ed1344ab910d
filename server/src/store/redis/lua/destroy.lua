-- Nothing of an ended instance stays live but its tombstone. Only what the archive has whole.
-- KEYS meeting, audience, participants, connections, owners, grace, log, people, sent, ended, and
--      some of the users' lists of messages, the changes, and who was there
-- ARGV gen, last ('1': these are the last lists, destroy the rest too), tombstone_s
-- Returns {'ok'} | {'unarchived'} | {'gone'} | {'stale', gen}
local meeting, ended = KEYS[1], KEYS[10]
local gen = ARGV[1]

local found, refused = live(meeting, gen)
if not found then return refused end
if found.state ~= 'closed' or found.archived ~= found.seq then return {'unarchived'} end
for i = 11, #KEYS do redis.call('UNLINK', KEYS[i]) end
if ARGV[2] == '1' then
  redis.call('UNLINK', unpack(KEYS, 1, 9))
  redis.call('SET', ended, gen, 'EX', ARGV[3])
end
return {'ok'}
