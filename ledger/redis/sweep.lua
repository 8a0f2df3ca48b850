-- Sweep: some keys of a forgotten period go, freed in the background. The last step takes the period's layout too.
--
-- KEYS  job, layouts, buckets
-- ARGV  generation, period, 1 = the last step
-- Gives ok; stale.
local call = redis.call
local generation, low = unpack(call('HMGET', KEYS[1], 'g', 'low'))
if generation ~= ARGV[1] or tonumber(low or '0') <= tonumber(ARGV[2]) then
  return { 'stale' }
end
if #KEYS > 2 then
  call('UNLINK', unpack(KEYS, 3))
end
if ARGV[3] == '1' then
  call('HDEL', KEYS[2], ARGV[2], ARGV[2] .. ':n')
end
return { 'ok' }
