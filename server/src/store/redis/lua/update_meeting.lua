-- Updates what a live instance copies from its meeting: title, description and audience. An older
-- revision changes nothing.
-- KEYS meeting, audience
-- ARGV revision, title, description, isPublic, audience (JSON: [email])
-- Returns {'ok'} | {'gone'}
local fields = {'revision', 'title', 'description', 'isPublic'}

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
local known = redis.call('HMGET', meeting, unpack(fields))
if known[1] and tonumber(known[1]) > tonumber(ARGV[1]) then return {'ok'} end
for at, field in ipairs(fields) do
  if known[at] ~= ARGV[at] then redis.call('HSET', meeting, field, ARGV[at]) end
end
local wanted = {}
for _, email in ipairs(cjson.decode(ARGV[5])) do wanted[email] = true end
for _, email in ipairs(redis.call('SMEMBERS', audience)) do
  if wanted[email] then wanted[email] = nil else redis.call('SREM', audience, email) end
end
for email in pairs(wanted) do redis.call('SADD', audience, email) end
return {'ok'}
