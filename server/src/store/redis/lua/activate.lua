-- Builds the live state of an instance in a new generation from what MySQL has of it.
-- KEYS meeting, audience, participants, connections, bindings, grace, log, profiles, cmids, tombstone,
--      channel, changes, presence
-- ARGV gen, floor (last archived seq), title, description, isPublic, fromdatetime, todatetime,
--      state, reason, closing (when its end began; '' if unknown),
--      audience (JSON: [email]), stays (JSON: [[user, joined, stay, profile]]),
--      cmids (JSON: [[user:cmid, "seq time"]]), profiles (JSON: [[user, profile]]),
--      floors (JSON: [[#user, "seq made"]]: how far `cmids` is incomplete),
--      before (the generation that may be live until now; '' if none),
--      restrictions (JSON: [field of the meeting]), revision (of the meeting),
--      latest (the time of the latest archived event; 0 if none)
--      Numbers in JSON are strings: Lua would round large ones.
-- Returns {'ok', seq} | {'destroyed'} (this generation was destroyed) | {'stale', gen} (a newer one
--         is live) | {'newer_events'} (`before` has events above the floor)
local gen, floor = ARGV[1], tonumber(ARGV[2])

local destroyed = redis.call('GET', tombstone)
if destroyed and tonumber(destroyed) >= tonumber(gen) then return {'destroyed'} end
local current = redis.call('HGET', meeting, 'gen')
if current and tonumber(current) >= tonumber(gen) then return {'stale', current} end
if current and current == ARGV[16] and tonumber(redis.call('HGET', meeting, 'seq')) > floor then
  return {'newer_events'}
end

-- How often each stay is held without a connection, as far as the old state knows.
local kept = {}
local held = redis.call('HGETALL', bindings)
for i = 1, #held, 2 do
  local name, value = held[i], held[i + 1]
  local first = string.sub(name, 1, 1)
  if first == '#' then
    local stay_key = string.sub(name, 2)
    kept[stay_key] = (kept[stay_key] or 0) + value
  elseif first ~= '@' and first ~= '~' then
    kept[value] = (kept[value] or 0) - 1
  end
end
-- The seqs of the old generation are assigned again, so its lists of messages go. Not in KEYS: only
-- the old state knows the users. The hash tag keeps the keys in this slot.
for _, user in ipairs(redis.call('HKEYS', profiles)) do
  redis.call('UNLINK', meeting .. ':user:' .. user .. ':messages')
end
redis.call('UNLINK', meeting, audience, participants, connections, bindings, grace, log, profiles, cmids,
  changes, presence)
redis.call('HSET', meeting, 'gen', gen, 'seq', floor, 'archived', floor,
  'title', ARGV[3], 'description', ARGV[4], 'isPublic', ARGV[5],
  'fromdatetime', ARGV[6], 'todatetime', ARGV[7], 'state', ARGV[8], 'reason', ARGV[9],
  'revision', ARGV[18], 'latest', ARGV[19])
for _, field in ipairs(cjson.decode(ARGV[17])) do redis.call('HSET', meeting, field, 1) end
if ARGV[10] ~= '' then redis.call('HSET', meeting, 'closing', ARGV[10]) end
for _, email in ipairs(cjson.decode(ARGV[11])) do redis.call('SADD', audience, email) end
for _, one in ipairs(cjson.decode(ARGV[14])) do redis.call('HSET', profiles, one[1], one[2]) end
-- No connection is known yet. Each stay is bound to a placeholder connection that is lost already:
-- users who do not reconnect within the grace period leave, unless they joined without a connection.
local now = now_ms()
for _, one in ipairs(cjson.decode(ARGV[12])) do
  local user, stay = one[1], one[3]
  redis.call('ZADD', participants, one[2], user)
  redis.call('HSET', profiles, user, one[4])
  local stay_key = user .. ':' .. stay
  redis.call('HSET', bindings, '@' .. user, stay, 'before.' .. user, stay_key,
    '#' .. stay_key, (kept[stay_key] or 0) > 0 and 2 or 1)
  redis.call('ZADD', grace, now, 'before.' .. user)
  redis.call('HSET', presence, '%' .. stay_key, 1)
  if (kept[stay_key] or 0) <= 0 then
    redis.call('HSET', presence, user, string.format('reconnecting %d', now))
  end
end
for _, at in ipairs({13, 15}) do
  for _, one in ipairs(cjson.decode(ARGV[at])) do redis.call('HSET', cmids, one[1], one[2]) end
end

local seq = floor
if floor == 0 then
  -- An instance that was missed opens at its end, where it closes.
  local time = math.min(now, tonumber(ARGV[7]))
  seq = emit(meeting, log, channel, gen, 'opened', '', time, {})
  redis.call('HSET', meeting, 'latest', string.format('%d', time))
else
  redis.call('SPUBLISH', channel, cjson.encode({'fence', gen, ARGV[2]}))
end
return {'ok', seq}
