-- Edits or deletes a message of its author. Takes effect once per cmid.
-- KEYS meeting, participants, log, cmids, changes, channel, post_rate, account_rate
-- ARGV gen, user, cmid, kind ('edited' | 'deleted'), target, author (see `author_of`), body (''),
--      unarchived_events_max, checked (see `find_duplicate`), interval_us and burst of both rates (see
--      `count_write`)
-- Returns {'ok', seq, time} | {'duplicate', seq, time} | {'check_archive', archived}
--       | {'archived_message'} | {'no_such_message'} | {'not_yours'} | {'message_deleted'}
--       | {'not_participant'} | {'read_only'} | {'muted'} | {'archive_behind'} | {'rate_limited', wait_us}
--       | {'ended'} | {'gone'} | {'stale', gen}
local gen, user, cmid, kind, target, author, body = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
-- First of all: a retry gets its seq, even after the end.
local before = find_duplicate(cmids, user, cmid, ARGV[9], found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'ended'} end
if not redis.call('ZSCORE', participants, user) then return {'not_participant'} end
local restriction = restriction_of(meeting, found, user)
if restriction then return restriction end
if found.seq - found.archived >= tonumber(ARGV[8]) then return {'archive_behind'} end
local whose, refusal = author_of(log, found.seq, target, author)
if not whose then return refusal end
if whose ~= user then return {'not_yours'} end
if string.match(redis.call('HGET', changes, target) or '', '^deleted') then
  return {'message_deleted'}
end
local too_fast = count_write(now, post_rate, ARGV[10], ARGV[11], account_rate, ARGV[12], ARGV[13])
if too_fast then return too_fast end

now = event_time(meeting, found, now)
local fields = {'cmid', cmid, 'target', target}
if kind == 'edited' then
  fields[5], fields[6] = 'body', body
end
local seq = emit(meeting, log, channel, gen, kind, user, now, fields)
redis.call('HSET', changes, target, string.format('%s %d %d', kind, seq, now))
redis.call('HSET', cmids, user .. ':' .. cmid, string.format('%d %d', seq, now))
return {'ok', seq, now}
