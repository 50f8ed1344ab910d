-- Moderates an active instance on behalf of an admin. Takes effect once per cmid.
-- KEYS meeting, participants, bindings, presence, log, cmids, channel, post_rate, account_rate
-- ARGV gen, user, name, cmid, action, subject (the target user or the new end; ''), the target's name
--      (''), note (''), by_ms (extend: milliseconds to add; ''), checked (see `find_duplicate`),
--      unarchived_events_max, length_ms_max, interval_us and burst of both rates (see `count_write`;
--      only announcements are limited)
-- Returns {'ok', seq, time, end} | {'duplicate', seq, time} | {'check_archive', archived}
--       | {'already_so'} | {'target_not_participant'} | {'not_later'} | {'too_long'}
--       | {'archive_behind'} | {'rate_limited', wait_us} | {'ended'} | {'gone'} | {'stale', gen}
local gen, user, name, cmid, action, subject, whom, note, by_ms, checked = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
-- First of all: a retry gets its seq, even after the end.
local before = find_duplicate(cmids, user, cmid, checked, found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'ended'} end
now = event_time(meeting, found, now)

-- The fields of the meeting that actions set or clear.
local sets = {lock = 'locked', read_only = 'readOnly', mute = 'muted:', ban = 'banned:'}
local clears = {unlock = 'locked', writable = 'readOnly', unmute = 'muted:', unban = 'banned:'}
local function restriction_field(name)
  if string.sub(name, -1) == ':' then return name .. subject end
  return name
end

local fields = {'cmid', cmid, 'action', action, 'name', name}
local ends_at = found.to
local is_in = subject ~= '' and redis.call('ZSCORE', participants, subject)
if action == 'extend' then
  ends_at = by_ms ~= '' and found.to + by_ms or tonumber(subject)
  if ends_at <= found.to then return {'not_later'} end
  if ends_at - redis.call('HGET', meeting, 'fromdatetime') > tonumber(ARGV[12]) then return {'too_long'} end
  subject = string.format('%d', ends_at)
  fields[#fields + 1] = 'was'
  fields[#fields + 1] = string.format('%d', found.to)
  redis.call('HSET', meeting, 'todatetime', subject)
elseif action == 'end' then
  -- Like the first call of close.lua, which continues from here.
  redis.call('HSET', meeting, 'state', 'ending', 'reason', 'ended', 'closing', now)
elseif action == 'remove' then
  if not is_in then return {'target_not_participant'} end
elseif action == 'announce' then
  if found.seq - found.archived >= tonumber(ARGV[11]) then return {'archive_behind'} end
  local too_fast = count_write(now, post_rate, ARGV[13], ARGV[14], account_rate, ARGV[15], ARGV[16])
  if too_fast then return too_fast end
elseif sets[action] then
  if redis.call('HSETNX', meeting, restriction_field(sets[action]), 1) == 0 then return {'already_so'} end
elseif redis.call('HDEL', meeting, restriction_field(clears[action])) == 0 then
  return {'already_so'}
end

for _, one in ipairs({{'subject', subject}, {'whom', whom}, {'note', note}}) do
  if one[2] ~= '' then
    fields[#fields + 1] = one[1]
    fields[#fields + 1] = one[2]
  end
end
local seq = emit(meeting, log, channel, gen, 'moderated', user, now, fields)
redis.call('HSET', cmids, user .. ':' .. cmid, string.format('%d %d', seq, now))
if is_in and (action == 'remove' or action == 'ban') then
  end_stay(participants, bindings, presence, subject)
  emit(meeting, log, channel, gen, 'leave', subject, now, {'reason', 'removed'})
end
return {'ok', seq, now, string.format('%d', ends_at)}
