-- Sets who may join a private instance. One that has gone meanwhile gets no key again.
-- KEYS meeting, audience
-- ARGV audience (JSON: [email])
-- Returns {'ok'} | {'gone'}
local meeting, audience = unpack(KEYS)

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
local wanted = {}
for _, email in ipairs(cjson.decode(ARGV[1])) do wanted[email] = true end
for _, email in ipairs(redis.call('SMEMBERS', audience)) do
  if wanted[email] then wanted[email] = nil else redis.call('SREM', audience, email) end
end
for email in pairs(wanted) do redis.call('SADD', audience, email) end
return {'ok'}
