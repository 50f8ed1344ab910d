-- Builds an instance's live state in a new generation, from what lasts.
-- KEYS meeting, audience, participants, connections, owners, grace, log, people, sent, ended,
--      channel, changed, presence
-- ARGV gen, floor (last archived seq), title, description, isPublic, fromdatetime, todatetime,
--      state, reason, closing (when its end began, if that is known; otherwise '')
--      audience (JSON: [email]), stays (JSON: [[user, joined, stay, profile]]),
--      sent (JSON: [[user:cmid, "seq time"]]), people (JSON: [[user, profile]]),
--      floors (JSON: [[#user, "seq made"]]: how far cmids are left out of `sent`),
--      before (the generation that may be live meanwhile; what it accepted is not lost; '': none),
--      standing (JSON: [field of the meeting]: what holds because admins said so),
--      revision (how often the meeting was changed)
--      Numbers in these are strings: Lua would write large ones in another way.
-- Returns {'ok', seq} | {'ended'} (this generation is over) | {'stale', gen} (a newer one lives)
--       | {'behind'} (the one before has gone on above the floor)
local meeting, audience, participants, connections, owners, grace, log, people, sent, ended, channel,
  changed, presence = unpack(KEYS)
local gen, floor = ARGV[1], tonumber(ARGV[2])

local over = redis.call('GET', ended)
if over and tonumber(over) >= tonumber(gen) then return {'ended'} end
local current = redis.call('HGET', meeting, 'gen')
if current and tonumber(current) >= tonumber(gen) then return {'stale', current} end
if current and current == ARGV[16] and tonumber(redis.call('HGET', meeting, 'seq')) > floor then
  return {'behind'}
end

-- Stays that were held otherwise than by a connection, as far as that is known still.
local kept = {}
local held = redis.call('HGETALL', owners)
for i = 1, #held, 2 do
  local name, value = held[i], held[i + 1]
  local first = string.sub(name, 1, 1)
  if first == '#' then
    local holds = string.sub(name, 2)
    kept[holds] = (kept[holds] or 0) + value
  elseif first ~= '@' and first ~= '~' then
    kept[value] = (kept[value] or 0) - 1
  end
end
-- The lists of messages that the old generation had: its numbers are given out again. Their keys are
-- in this slot, but only the old state knows whose there are.
for _, user in ipairs(redis.call('HKEYS', people)) do
  redis.call('UNLINK', meeting .. ':user:' .. user .. ':messages')
end
redis.call('UNLINK', meeting, audience, participants, connections, owners, grace, log, people, sent,
  changed, presence)
redis.call('HSET', meeting, 'gen', gen, 'seq', floor, 'archived', floor,
  'title', ARGV[3], 'description', ARGV[4], 'isPublic', ARGV[5],
  'fromdatetime', ARGV[6], 'todatetime', ARGV[7], 'state', ARGV[8], 'reason', ARGV[9],
  'revision', ARGV[18])
for _, field in ipairs(cjson.decode(ARGV[17])) do redis.call('HSET', meeting, field, 1) end
if ARGV[10] ~= '' then redis.call('HSET', meeting, 'closing', ARGV[10]) end
for _, email in ipairs(cjson.decode(ARGV[11])) do redis.call('SADD', audience, email) end
for _, one in ipairs(cjson.decode(ARGV[14])) do redis.call('HSET', people, one[1], one[2]) end
-- Nobody's connections are known yet. Each stay is held by a connection that is lost already, so
-- whoever does not come back within the grace is shown as left, unless they joined without one.
local now = now_ms()
for _, one in ipairs(cjson.decode(ARGV[12])) do
  local user, stay = one[1], one[3]
  redis.call('ZADD', participants, one[2], user)
  redis.call('HSET', people, user, one[4])
  local holds = user .. ':' .. stay
  redis.call('HSET', owners, '@' .. user, stay, 'before.' .. user, holds,
    '#' .. holds, (kept[holds] or 0) > 0 and 2 or 1)
  redis.call('ZADD', grace, now, 'before.' .. user)
  redis.call('HSET', presence, '%' .. holds, 1)
  if (kept[holds] or 0) <= 0 then
    redis.call('HSET', presence, user, string.format('reconnecting %d', now))
  end
end
for _, at in ipairs({13, 15}) do
  for _, one in ipairs(cjson.decode(ARGV[at])) do redis.call('HSET', sent, one[1], one[2]) end
end

local seq = floor
if floor == 0 then
  seq = emit(meeting, log, channel, gen, 'opened', '', now, {})
else
  redis.call('SPUBLISH', channel, cjson.encode({'fence', gen, floor}))
end
return {'ok', seq}
