-- Posts a message of a participant. Takes effect once per cmid.
-- KEYS meeting, participants, log, cmids, user_messages, channel, post_rate, account_rate
-- ARGV gen, user, cmid, body, unarchived_events_max, checked (see `find_duplicate`), reply_to (''
--      if none), author (see `author_of`), interval_us and burst of both rates (see `count_write`)
-- Returns {'ok', seq, time} | {'duplicate', seq, time} | {'check_archive', archived}
--       | {'archived_message'} | {'no_such_message'} | {'not_participant'} | {'read_only'} | {'muted'}
--       | {'archive_behind'} | {'rate_limited', wait_us} | {'ended'} | {'gone'} | {'stale', gen}
local gen, user, cmid, body, _, checked, reply_to, author = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
-- First of all: a retry gets its seq, even after the end.
local before = find_duplicate(cmids, user, cmid, checked, found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'ended'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local restriction = restriction_of(meeting, found, user)
if restriction then return restriction end
if found.seq - found.archived >= tonumber(ARGV[5]) then return {'archive_behind'} end
local fields = {'cmid', cmid, 'body', body}
if reply_to ~= '' then
  local whose, refusal = author_of(log, found.seq, reply_to, author)
  if not whose and refusal[1] ~= 'message_deleted' then return refusal end
  fields[5], fields[6] = 'replyTo', reply_to
end
local too_fast = count_write(now, post_rate, ARGV[9], ARGV[10], account_rate, ARGV[11], ARGV[12])
if too_fast then return too_fast end

now = event_time(meeting, found, now)
local seq = emit(meeting, log, channel, gen, 'message', user, now, fields)
redis.call('RPUSH', user_messages, seq)
redis.call('HSET', cmids, user .. ':' .. cmid, string.format('%d %d', seq, now))
return {'ok', seq, now}
