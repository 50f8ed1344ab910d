-- A participant edits or deletes what they said: once for each cmid, whatever happens.
-- KEYS meeting, participants, log, sent, changed, channel
-- ARGV gen, user, cmid, kind ('edited' | 'deleted'), target, author (see `author_of`), body (''),
--      unarchived_events_max, looked (see `said_before`)
-- Returns {'ok', seq, time} | {'repeat', seq, time} | {'look_up', archived} | {'elsewhere'}
--       | {'no_such_message'} | {'not_yours'} | {'message_deleted'} | {'not_participant'} | {'read_only'}
--       | {'muted'} | {'archive_behind'} | {'over'} | {'gone'} | {'stale', gen}
local meeting, participants, log, sent, changed, channel = unpack(KEYS)
local gen, user, cmid, kind, target, author, body = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
-- Before anything else: a retry gets its seq, even after the end.
local before = said_before(sent, user, cmid, ARGV[9], found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'over'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local why_silent = silenced(meeting, found, user)
if why_silent then return why_silent end
if found.seq - found.archived >= tonumber(ARGV[8]) then return {'archive_behind'} end
local whose, why_not = author_of(log, found.seq, target, author)
if not whose then return why_not end
if whose ~= user then return {'not_yours'} end
if string.match(redis.call('HGET', changed, target) or '', '^deleted') then
  return {'message_deleted'}
end

local fields = {'cmid', cmid, 'target', target}
if kind == 'edited' then
  fields[5], fields[6] = 'body', body
end
local seq = emit(meeting, log, channel, gen, kind, user, now, fields)
redis.call('HSET', changed, target, string.format('%s %d %d', kind, seq, now))
redis.call('HSET', sent, user .. ':' .. cmid, string.format('%d %d', seq, now))
return {'ok', seq, now}
