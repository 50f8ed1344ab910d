-- Makes a user a participant.
-- KEYS meeting, audience, participants, connections, bindings, grace, log, profiles, presence, channel,
--      join_rate, account_rate
-- ARGV gen, user, email, profile (JSON), name, connection ('' if none), participants_max, interval_us
--      and burst of both rates (see `count_write`)
-- Returns {'ok', seq, time} | {'already_participant'} | {'not_allowed'} | {'banned'} | {'locked'}
--       | {'full'} | {'rate_limited', wait_us} | {'ended'} | {'gone'} | {'stale', gen}
local gen, user, email, profile, name, connection = unpack(ARGV)

local found, refused = find_live(meeting, gen)
if not found then return refused end
local now = now_ms()
if found.state ~= 'active' or now >= found.to then return {'ended'} end
if redis.call('ZSCORE', participants, user) then return {'already_participant'} end
if not found.public and redis.call('SISMEMBER', audience, email) == 0 then return {'not_allowed'} end
if redis.call('HEXISTS', meeting, 'banned:' .. user) == 1 then return {'banned'} end
if found.locked then return {'locked'} end
if redis.call('ZCARD', participants) >= tonumber(ARGV[7]) then return {'full'} end
local too_fast = count_write(now, join_rate, ARGV[8], ARGV[9], account_rate, ARGV[10], ARGV[11])
if too_fast then return too_fast end

now = event_time(meeting, found, now)
local seq = emit(meeting, log, channel, gen, 'join', user, now, {'name', name})
redis.call('ZADD', participants, now, user)
redis.call('HSET', profiles, user, profile)
redis.call('HSET', bindings, '@' .. user, seq)
if connection == '' then
  -- Joined without a connection: no lost connection can end this stay.
  redis.call('HSET', bindings, '#' .. user .. ':' .. seq, 1)
else
  bind(connections, bindings, grace, presence, channel, connection, user)
end
return {'ok', seq, now}
