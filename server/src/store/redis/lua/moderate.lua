-- An admin moderates an active instance: once for each cmid, whatever happens.
-- KEYS meeting, participants, owners, presence, log, sent, channel
-- ARGV gen, user, name, cmid, action, subject (whom, or the new end; ''), subject's name (''), note
--      (''), by_ms (extend: so much later; ''), looked (see `said_before`), unarchived_events_max,
--      length_ms_max
-- Returns {'ok', seq, time, end} | {'repeat', seq, time} | {'look_up', archived} | {'already_so'}
--       | {'not_there'} | {'not_later'} | {'too_long'} | {'archive_behind'} | {'over'} | {'gone'}
--       | {'stale', gen}
local meeting, participants, owners, presence, log, sent, channel = unpack(KEYS)
local gen, user, name, cmid, action, subject, whom, note, by_ms, looked = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
-- Before anything else: a retry gets its seq, even after the end.
local before = said_before(sent, user, cmid, looked, found.archived)
if before then return before end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'over'} end

-- The field of the meeting that an action sets or takes away.
local sets = {lock = 'locked', read_only = 'readOnly', mute = 'muted:', ban = 'banned:'}
local clears = {unlock = 'locked', writable = 'readOnly', unmute = 'muted:', unban = 'banned:'}
local function restraint(name)
  if string.sub(name, -1) == ':' then return name .. subject end
  return name
end

local fields = {'cmid', cmid, 'action', action, 'name', name}
local over = found.to
local is_in = subject ~= '' and redis.call('ZSCORE', participants, subject)
if action == 'extend' then
  over = by_ms ~= '' and found.to + by_ms or tonumber(subject)
  if over <= found.to then return {'not_later'} end
  if over - redis.call('HGET', meeting, 'fromdatetime') > tonumber(ARGV[12]) then return {'too_long'} end
  subject = string.format('%d', over)
  fields[#fields + 1] = 'was'
  fields[#fields + 1] = string.format('%d', found.to)
  redis.call('HSET', meeting, 'todatetime', subject)
elseif action == 'end' then
  -- As `end` settles it, which goes on from here.
  redis.call('HSET', meeting, 'state', 'ending', 'reason', 'ended', 'closing', now)
elseif action == 'remove' then
  if not is_in then return {'not_there'} end
elseif action == 'announce' then
  if found.seq - found.archived >= tonumber(ARGV[11]) then return {'archive_behind'} end
elseif sets[action] then
  if redis.call('HSETNX', meeting, restraint(sets[action]), 1) == 0 then return {'already_so'} end
elseif redis.call('HDEL', meeting, restraint(clears[action])) == 0 then
  return {'already_so'}
end

for _, one in ipairs({{'subject', subject}, {'whom', whom}, {'note', note}}) do
  if one[2] ~= '' then
    fields[#fields + 1] = one[1]
    fields[#fields + 1] = one[2]
  end
end
local seq = emit(meeting, log, channel, gen, 'moderated', user, now, fields)
redis.call('HSET', sent, user .. ':' .. cmid, string.format('%d %d', seq, now))
if is_in and (action == 'remove' or action == 'ban') then
  remove(participants, owners, presence, subject)
  emit(meeting, log, channel, gen, 'leave', subject, now, {'reason', 'removed'})
end
return {'ok', seq, now, string.format('%d', over)}
