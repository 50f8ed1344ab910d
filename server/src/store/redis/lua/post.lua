-- A participant says something: once for each cmid, whatever happens.
-- KEYS meeting, participants, log, sent, user_messages, channel
-- ARGV gen, user, cmid, body, unarchived_events_max, looked (see `said_before`), reply_to ('': none),
--      author (see `author_of`)
-- Returns {'ok', seq, time} | {'repeat', seq, time} | {'look_up', archived} | {'elsewhere'}
--       | {'no_such_message'} | {'not_participant'} | {'read_only'} | {'muted'} | {'archive_behind'} | {'over'}
--       | {'gone'} | {'stale', gen}
local meeting, participants, log, sent, user_messages, channel = unpack(KEYS)
local gen, user, cmid, body, _, looked, reply_to, author = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
-- Before anything else: a retry gets its seq, even after the end.
local before = said_before(sent, user, cmid, looked, found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'over'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local why_silent = silenced(meeting, found, user)
if why_silent then return why_silent end
if found.seq - found.archived >= tonumber(ARGV[5]) then return {'archive_behind'} end
local fields = {'cmid', cmid, 'body', body}
if reply_to ~= '' then
  local whose, why_not = author_of(log, found.seq, reply_to, author)
  if not whose and why_not[1] ~= 'message_deleted' then return why_not end
  fields[5], fields[6] = 'replyTo', reply_to
end

local seq = emit(meeting, log, channel, gen, 'message', user, now, fields)
redis.call('RPUSH', user_messages, seq)
redis.call('HSET', sent, user .. ':' .. cmid, string.format('%d %d', seq, now))
return {'ok', seq, now}
