-- Deletes the live state of an ended instance, once the archive has all of its log. A tombstone
-- stays. Further keys are also deleted: lists of users' messages, changes, presence.
-- KEYS meeting, audience, participants, connections, bindings, grace, log, profiles, cmids, tombstone
-- ARGV gen, last ('1': these are the last further keys, delete the others too), tombstone_s
-- Returns {'ok'} | {'unarchived'} | {'gone'} | {'stale', gen}
local gen = ARGV[1]

local found, refused = find_live(meeting, gen)
if not found then return refused end
if found.state ~= 'closed' or found.archived ~= found.seq then return {'unarchived'} end
for i = 11, #KEYS do redis.call('UNLINK', KEYS[i]) end
if ARGV[2] == '1' then
  redis.call('UNLINK', unpack(KEYS, 1, 9))
  redis.call('SET', tombstone, gen, 'EX', ARGV[3])
end
return {'ok'}
