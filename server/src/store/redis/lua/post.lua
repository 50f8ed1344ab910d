-- A participant says something: once for each cmid, whatever happens.
-- KEYS meeting, participants, log, sent, user_messages, channel
-- ARGV gen, user, cmid, body, unarchived_events_max, looked (up to this seq, the archive has no such
--      cmid of this user; 0: it was not asked)
-- Returns {'ok', seq, time} | {'repeat', seq, time} | {'not_participant'} | {'archive_behind'}
--       | {'look_up', archived} (only the archive, which has the log up to there, knows whether this
--         was said before) | {'over'} | {'gone'} | {'stale', gen}
local meeting, participants, log, sent, user_messages, channel = unpack(KEYS)
local gen, user, cmid, body = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
-- Before anything else: a retry gets its seq, even after the end.
local before = redis.call('HGET', sent, user .. ':' .. cmid)
if before then
  local seq, time = string.match(before, '^(%d+) (%d+)$')
  return {'repeat', seq, time}
end
-- A cmid made later than all of this user's that were trimmed is none of them.
local floor_seq, floor_ms = floor(sent, user)
if floor_seq > tonumber(ARGV[6]) and (cmid_ms(cmid) or 0) <= floor_ms then
  return {'look_up', string.format('%d', found.archived)}
end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'over'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
if found.seq - found.archived >= tonumber(ARGV[5]) then return {'archive_behind'} end

local seq = emit(meeting, log, channel, gen, 'message', user, now, {'cmid', cmid, 'body', body})
redis.call('RPUSH', user_messages, seq)
redis.call('HSET', sent, user .. ':' .. cmid, string.format('%d %d', seq, now))
return {'ok', seq, now}
