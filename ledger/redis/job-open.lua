-- Job open: a generation of the ledger job claims a slot. From then on smaller generations are refused.
--
-- KEYS  job, layouts
-- ARGV  generation
-- Gives opened + first period kept, layouts (field, value, ...); fenced + generation.
local generation, low = unpack(redis.call('HMGET', KEYS[1], 'g', 'low'))
if generation and tonumber(generation) > tonumber(ARGV[1]) then
  return { 'fenced', generation }
end
local layouts = redis.call('HGETALL', KEYS[2])
if generation ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'g', ARGV[1])
end
return { 'opened', low or '0', layouts }
