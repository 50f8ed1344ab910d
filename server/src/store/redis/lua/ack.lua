-- Records how far the archive has the log, and trims archived events beyond the cap together with
-- their cmids and changes.
-- KEYS meeting, log, cmids, changes, channel
-- ARGV gen, archived (the last archived seq), live_events_max, trimmed_max (events per call)
-- Returns {'ok'} | {'gone'} | {'stale', gen}
local gen, archived = ARGV[1], tonumber(ARGV[2])

local found, refused = find_live(meeting, gen)
if not found then return refused end
if archived <= found.archived then return {'ok'} end
redis.call('HSET', meeting, 'archived', archived)

local last = math.min(archived, found.seq - ARGV[3])
local old = {}
if last > 0 then old = redis.call('XRANGE', log, '-', string.format('%d-0', last), 'COUNT', ARGV[4]) end
for _, entry in ipairs(old) do
  local seq, fields = string.match(entry[1], '^%d+'), entry[2]
  local kind, user, cmid = fields[2], fields[4], fields[8]
  if kind == 'message' or kind == 'edited' or kind == 'deleted' or kind == 'moderated' then
    redis.call('HDEL', cmids, user .. ':' .. cmid)
    raise_cmid_floor(cmids, user, seq, cmid_time_ms(cmid) or 0)
  end
  if kind == 'edited' or kind == 'deleted' then
    -- The archive has this change and, as it is older, the message.
    local target = fields[10]
    local last = redis.call('HGET', changes, target)
    if last and string.match(last, '^%a+ (%d+) ') == seq then redis.call('HDEL', changes, target) end
  elseif kind == 'message' then
    -- Not in KEYS: only the log knows the user. The hash tag keeps the key in this slot.
    local mine = meeting .. ':user:' .. user .. ':messages'
    while tonumber(redis.call('LINDEX', mine, 0) or '') and
      tonumber(redis.call('LINDEX', mine, 0)) <= tonumber(seq) do
      redis.call('LPOP', mine)
    end
  end
end
if #old > 0 then
  local keep_from = string.match(old[#old][1], '^%d+') + 1
  redis.call('XTRIM', log, 'MINID', string.format('%d-0', keep_from))
end
redis.call('SPUBLISH', channel, cjson.encode({'durable', gen, ARGV[2]}))
return {'ok'}
