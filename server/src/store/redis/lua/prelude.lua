-- What every script begins with. It is put before each script's text when that is loaded.

-- The store's clock, in milliseconds since 1970: one clock rules a meeting.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The meeting's fields if it is live in this generation; otherwise nil and what to answer.
local function live(meeting, gen)
  local found = redis.call('HMGET', meeting, 'gen', 'state', 'todatetime', 'isPublic', 'seq', 'archived',
    'locked', 'readOnly')
  if not found[1] then return nil, {'gone'} end
  if found[1] ~= gen then return nil, {'stale', found[1]} end
  return {
    state = found[2], to = tonumber(found[3]), public = found[4] == '1',
    seq = tonumber(found[5]), archived = tonumber(found[6]),
    locked = found[7], read_only = found[8],
  }
end

-- Why somebody who is in may say nothing, if an admin wants that; or nil.
local function silenced(meeting, found, user)
  if found.read_only then return {'read_only'} end
  if redis.call('HEXISTS', meeting, 'muted:' .. user) == 1 then return {'muted'} end
end

-- Numbers the event, writes it to the log and publishes it: the one place where events come from.
-- `fields` are the kind's own: {'cmid', …, 'body', …}. Its seq.
local function emit(meeting, log, channel, gen, kind, user, time, fields)
  local seq = redis.call('HINCRBY', meeting, 'seq', 1)
  redis.call('XADD', log, string.format('%d-0', seq),
    'kind', kind, 'user', user, 'time', time, unpack(fields))
  redis.call('SPUBLISH', channel, cjson.encode({'event', gen, seq, kind, user, time, fields}))
  return seq
end

-- When a cmid was made, in milliseconds since 1970, by its own word: only version 7 says that.
local function cmid_ms(cmid)
  if string.sub(cmid, 15, 15) ~= '7' then return nil end
  return tonumber(string.sub(cmid, 1, 8) .. string.sub(cmid, 10, 13), 16)
end

-- How far a user's cmids were trimmed: the last seq, and when the latest of them was made.
-- sent: 'user:cmid' → 'seq time', '#user' → 'seq made'.
local function floor(sent, user)
  local known = redis.call('HGET', sent, '#' .. user)
  if not known then return 0, 0 end
  local seq, made = string.match(known, '^(%d+) (%d+)$')
  return tonumber(seq), tonumber(made)
end

-- What is answered to a cmid that may have been used: {'repeat', seq, time} if it was, {'look_up',
-- archived} if only the archive, which has the log up to there, knows that; nil: it is new. `looked`:
-- up to this seq, the archive has no such cmid of this user; 0: it was not asked.
local function said_before(sent, user, cmid, looked, archived)
  local before = redis.call('HGET', sent, user .. ':' .. cmid)
  if before then
    local seq, time = string.match(before, '^(%d+) (%d+)$')
    return {'repeat', seq, time}
  end
  -- A cmid made later than all of this user's that were trimmed is none of them.
  local floor_seq, floor_ms = floor(sent, user)
  if floor_seq > tonumber(looked) and (cmid_ms(cmid) or 0) <= floor_ms then
    return {'look_up', string.format('%d', archived)}
  end
end

-- A message or a change of the user was trimmed.
local function raise_floor(sent, user, seq, made)
  local floor_seq, floor_ms = floor(sent, user)
  redis.call('HSET', sent, '#' .. user,
    string.format('%d %d', math.max(floor_seq, seq), math.max(floor_ms, made)))
end

-- One more or one fewer of those who hold a stay is lost ('%') or idle ('=').
-- presence: user → 'reconnecting since' or 'idle since' (who is here has no entry), '%user:stay' → how
-- many of those who hold it are lost, '=user:stay' → how many are idle, '=connection' → since when.
local function weigh(owners, presence, holds, sign, by)
  if not holds or redis.call('HEXISTS', owners, '#' .. holds) == 0 then return end
  local field = sign .. holds
  if redis.call('HINCRBY', presence, field, by) <= 0 then redis.call('HDEL', presence, field) end
end

-- Tells whoever follows whether the user of a stay is there, if that has changed. Kept by no log: it
-- has no number, may be lost, and is contained in what `open` and `people` answer.
local function show(owners, presence, channel, holds, since)
  local user, stay = string.match(holds, '^(%d+):(%d+)$')
  if not user or redis.call('HGET', owners, '@' .. user) ~= stay then return end
  local held = tonumber(redis.call('HGET', owners, '#' .. holds) or 0)
  local found = redis.call('HMGET', presence, '%' .. holds, '=' .. holds, user)
  local lost, idle = tonumber(found[1] or 0), tonumber(found[2] or 0)
  local word = 'here'
  if held > 0 and lost >= held then word = 'reconnecting'
  elseif held > 0 and lost + idle >= held then word = 'idle' end
  local was = found[3] and string.match(found[3], '^%a+') or 'here'
  if was == word then return end
  if word == 'here' then
    redis.call('HDEL', presence, user)
  else
    redis.call('HSET', presence, user, string.format('%s %d', word, since))
  end
  redis.call('SPUBLISH', channel, cjson.encode({'presence', user, word, string.format('%d', since)}))
end

-- A connection holds its stay no longer but by the grace, from then on.
local function lose(connections, owners, grace, presence, channel, connection, since)
  local was_idle = redis.call('HDEL', presence, '=' .. connection) == 1
  if redis.call('ZREM', connections, connection) == 0 then return end
  redis.call('ZADD', grace, since, connection)
  local holds = redis.call('HGET', owners, connection)
  if not holds then return end
  if was_idle then weigh(owners, presence, holds, '=', -1) end
  weigh(owners, presence, holds, '%', 1)
  show(owners, presence, channel, holds, since)
end

-- Binds a connection to the stay that the user is in, if they are in one.
-- owners: connection → 'user:stay', '~connection' → since when it is known to live, '@user' → stay,
-- '#user:stay' → how many hold it.
local function bind(connections, owners, grace, presence, channel, connection, user)
  if connection == '' then return end
  local stay = redis.call('HGET', owners, '@' .. user)
  if not stay then return end
  local holds = user .. ':' .. stay
  local held = redis.call('HGET', owners, connection)
  local was_lost = redis.call('ZREM', grace, connection) == 1
  if was_lost then weigh(owners, presence, held, '%', -1) end
  local now = now_ms()
  redis.call('ZADD', connections, 0, connection)
  redis.call('HSET', owners, '~' .. connection, now)
  if held ~= holds then
    redis.call('HDEL', presence, '=' .. connection)
    redis.call('HSET', owners, connection, holds)
    redis.call('HINCRBY', owners, '#' .. holds, 1)
  elseif not was_lost then
    return
  end
  show(owners, presence, channel, holds, now)
end

-- Forgets a connection. The user whose stay nobody holds any more by that, or nil: a stay that is
-- over, or that another connection holds, is not touched.
local function release(connections, owners, grace, presence, connection)
  local holds = redis.call('HGET', owners, connection)
  redis.call('ZREM', connections, connection)
  if redis.call('ZREM', grace, connection) == 1 then weigh(owners, presence, holds, '%', -1) end
  redis.call('HDEL', owners, connection, '~' .. connection)
  if not holds or redis.call('HEXISTS', owners, '#' .. holds) == 0 then return nil end
  if redis.call('HINCRBY', owners, '#' .. holds, -1) > 0 then return nil end
  return string.match(holds, '^(%d+):')
end

-- Takes the user out; the log is the caller's.
local function remove(participants, owners, presence, user)
  local stay = redis.call('HGET', owners, '@' .. user)
  redis.call('ZREM', participants, user)
  redis.call('HDEL', owners, '@' .. user)
  redis.call('HDEL', presence, user)
  if not stay then return end
  local holds = user .. ':' .. stay
  redis.call('HDEL', owners, '#' .. holds)
  redis.call('HDEL', presence, '%' .. holds, '=' .. holds)
end

-- Whether this person may read: public, in the audience, in the meeting, or an admin ('1'); not who
-- was banned.
local function may_read(meeting, audience, participants, user, email, admin)
  if admin == '1' then return true end
  if redis.call('HEXISTS', meeting, 'banned:' .. user) == 1 then return false end
  return redis.call('HGET', meeting, 'isPublic') == '1'
    or redis.call('SISMEMBER', audience, email) == 1
    or redis.call('ZSCORE', participants, user) ~= false
end

-- What a reader is told beside what was asked for: gen, seq, archived, state, the log's first seq.
local function head(meeting, log)
  local found = redis.call('HMGET', meeting, 'gen', 'seq', 'archived', 'state')
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  found[5] = first and string.match(first[1], '^%d+') or string.format('%d', found[2] + 1)
  return found
end

-- The profiles of these users, as {user, profile, user, profile, …}.
local function profiles(people, users)
  local found = {}
  for at = 1, #users, 1000 do
    local some = {unpack(users, at, math.min(at + 999, #users))}
    local known = redis.call('HMGET', people, unpack(some))
    for i, user in ipairs(some) do
      found[#found + 1] = user
      found[#found + 1] = known[i] or ''
    end
  end
  return found
end

-- The value of a field of a log entry, {name, value, …}, and where it stands; or nil.
local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1], i + 1 end
  end
end

-- The fields of the live log's entry of this seq, or nil.
local function entry(log, seq)
  local id = seq .. '-0'
  local found = redis.call('XRANGE', log, id, id)[1]
  return found and found[2]
end

-- Whose message it is that has this number; or nil and what to answer. `author` is what the archive
-- says of a message that is live no more: '' (it was not asked), '0' (there is no such message),
-- '-' (it was deleted), or a user.
local function author_of(log, last, target, author)
  if tonumber(target) > last then return nil, {'no_such_message'} end
  local fields = entry(log, target)
  if fields then
    if field(fields, 'kind') ~= 'message' then return nil, {'no_such_message'} end
    return field(fields, 'user')
  end
  if author == '' then return nil, {'elsewhere'} end
  if author == '0' then return nil, {'no_such_message'} end
  if author == '-' then return nil, {'message_deleted'} end
  return author
end

-- Shows the messages among these entries as they are now. changed: message → 'edited seq time' or
-- 'deleted seq time', by its last change.
local function settle(entries, log, changed)
  if #entries == 0 or redis.call('EXISTS', changed) == 0 then return end
  local targets = {}
  for i, one in ipairs(entries) do
    targets[i] = field(one[2], 'target') or string.match(one[1], '^%d+')
  end
  for i, change in ipairs(redis.call('HMGET', changed, unpack(targets))) do
    local fields = entries[i][2]
    local _, body = field(fields, 'body')
    if change and body then
      local kind, seq, time = string.match(change, '^(%a+) (%d+) (%d+)$')
      local by = kind == 'edited' and entry(log, seq)
      if kind == 'deleted' then fields[body] = '' elseif by then fields[body] = field(by, 'body') end
      if field(fields, 'kind') == 'message' then
        fields[#fields + 1] = kind
        fields[#fields + 1] = time
      end
    end
  end
end

-- A page of the log, ascending, and the profiles of all whom it speaks of.
-- mode 'after': the first `limit` above seq; 'before': the last `limit` below seq.
local function page(log, people, changed, mode, seq, limit)
  local entries
  if mode == 'after' then
    entries = redis.call('XRANGE', log, string.format('%d-0', seq + 1), '+', 'COUNT', limit)
  else
    entries = {}
    local found = redis.call('XREVRANGE', log, string.format('%d-0', math.max(seq - 1, 0)), '-', 'COUNT', limit)
    for i = #found, 1, -1 do entries[#entries + 1] = found[i] end
  end
  settle(entries, log, changed)
  local users, seen = {}, {}
  for _, one in ipairs(entries) do
    local user = one[2][4]
    if user ~= '' and not seen[user] then
      seen[user] = true
      users[#users + 1] = user
    end
  end
  return entries, profiles(people, users)
end

-- Puts those who joined in the same millisecond, from `first` to `last` of {user, joined, …}, in
-- the order of their joins' seqs.
local function order_tied(found, first, last, owners)
  local fields = {}
  for i = first, last, 2 do fields[#fields + 1] = '@' .. found[i] end
  local tied = {}
  for i, stay in ipairs(redis.call('HMGET', owners, unpack(fields))) do
    tied[i] = {found[first + 2 * (i - 1)], tonumber(stay or 0)}
  end
  table.sort(tied, function(a, b) return a[2] < b[2] end)
  for i, one in ipairs(tied) do found[first + 2 * (i - 1)] = one[1] end
end

-- The participants as {user, joined, …} in the order of joining, and their profiles.
local function stays(participants, owners, people)
  local found = redis.call('ZRANGE', participants, 0, -1, 'WITHSCORES')
  local first = 1
  while first < #found do
    local last = first
    while found[last + 3] == found[first + 1] do last = last + 2 end
    if last > first then order_tied(found, first, last, owners) end
    first = last + 2
  end
  local users = {}
  for i = 1, #found, 2 do users[#users + 1] = found[i] end
  return found, profiles(people, users)
end

-- Who is in but not here, as {user, 'reconnecting since' or 'idle since', …}.
local function absences(presence)
  local found, all = {}, redis.call('HGETALL', presence)
  for i = 1, #all, 2 do
    if string.find(all[i], '^%d+$') then
      found[#found + 1] = all[i]
      found[#found + 1] = all[i + 1]
    end
  end
  return found
end
