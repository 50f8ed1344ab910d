-- Reads the current figures of an instance, and counts what happened in it above a seq.
-- KEYS meeting, participants, bindings, grace, log
-- ARGV after (seq), limit (events), step_ms (messages are counted per step of time), connections_max
--      (lost ones that are examined)
-- Returns {'ok', gen, seq, archived, state, todatetime, locked ('1' | ''), readOnly, participants,
--          reconnecting, {upto, stayed, messages, last (time of the last message; ''),
--          {step, messages, …}, {user, joined, …}} | {} (the log begins above `after`)}
--       | {'gone'}
local after, limit, step_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])

local found = redis.call('HMGET', meeting, 'gen', 'seq', 'archived', 'state', 'todatetime', 'locked',
  'readOnly')
if not found[1] then return {'gone'} end
for at = 6, 7 do found[at] = found[at] and '1' or '' end

-- Counts the stays whose connections are all lost.
local lost, reconnecting = {}, 0
for _, connection in ipairs(redis.call('ZRANGE', grace, 0, ARGV[4] - 1)) do
  local stay_key = redis.call('HGET', bindings, connection)
  if stay_key then lost[stay_key] = (lost[stay_key] or 0) + 1 end
end
for stay_key, count in pairs(lost) do
  local all = redis.call('HGET', bindings, '#' .. stay_key)
  if all and tonumber(all) == count then reconnecting = reconnecting + 1 end
end

local function counted()
  if tonumber(found[2]) <= after then return {string.format('%d', after), 0, 0, '', {}, {}} end
  local entries = redis.call('XRANGE', log, string.format('%d-0', after + 1), '+', 'COUNT', limit)
  local first = entries[1] and tonumber(string.match(entries[1][1], '^%d+'))
  if first ~= after + 1 then return {} end
  local stayed, messages, last, steps, order, joined = 0, 0, '', {}, {}, {}
  for _, one in ipairs(entries) do
    -- An entry starts with kind, user and time, in this order.
    local kind, user, time = one[2][2], one[2][4], one[2][6]
    if kind == 'message' then
      messages, last = messages + 1, time
      local step = math.floor(tonumber(time) / step_ms)
      if not steps[step] then order[#order + 1] = step end
      steps[step] = (steps[step] or 0) + 1
    elseif kind == 'join' then
      joined[#joined + 1] = user
      joined[#joined + 1] = time
    elseif kind == 'leave' then
      local reason = read_field(one[2], 'reason')
      if reason == 'scheduled' or reason == 'ended' then stayed = stayed + 1 end
    end
  end
  local by_step = {}
  for _, step in ipairs(order) do
    by_step[#by_step + 1] = string.format('%d', step)
    by_step[#by_step + 1] = steps[step]
  end
  return {string.match(entries[#entries][1], '^%d+'), stayed, messages, last, by_step, joined}
end

return {'ok', found[1], found[2], found[3], found[4], found[5], found[6], found[7],
  redis.call('ZCARD', participants), reconnecting, counted()}
