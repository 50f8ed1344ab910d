-- Closes an instance: joins and posts stop at once, then the participants leave in chunks. Called
-- until it returns 'closed'.
-- KEYS meeting, participants, bindings, presence, log, channel
-- ARGV gen, reason, participants_max (per call)
-- Returns {'closed', seq} | {'more'} | {'early', milliseconds until its end by Redis' clock}
--       | {'gone'} | {'stale', gen}
local gen, reason = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
if found.state == 'closed' then return {'closed', found.seq} end
local now = now_ms()
-- An admin may have begun its end already.
local by_the_clock = reason == 'scheduled' or reason == 'missed'
if found.state == 'active' and by_the_clock and now < found.to then
  return {'early', found.to - now}
end
-- The first call sets reason and time for all further ones.
local time = math.min(math.max(now, found.latest), found.to)
if redis.call('HSETNX', meeting, 'closing', string.format('%d', time)) == 1 then
  redis.call('HSET', meeting, 'state', 'ending', 'reason', reason)
end
local settled = redis.call('HMGET', meeting, 'closing', 'reason')
time, reason = tonumber(settled[1]), settled[2]

local leaving = redis.call('ZRANGE', participants, 0, ARGV[3] - 1)
for _, user in ipairs(leaving) do
  end_stay(participants, bindings, presence, user)
  emit(meeting, log, channel, gen, 'leave', user, time, {'reason', reason})
end
if redis.call('ZCARD', participants) > 0 then return {'more'} end
local seq = emit(meeting, log, channel, gen, 'closed', '', time, {'reason', reason})
redis.call('HSET', meeting, 'state', 'closed')
return {'closed', seq}
