-- Drop rows: what the slot keeps of shards that are no more, and whose leases are gone.
--
-- KEYS  job, rows, duplicates of each shard
-- ARGV  generation, shards
-- Gives ok; stale.
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then
  return { 'stale' }
end
for i = 2, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
  redis.call('UNLINK', KEYS[i + 1])
end
return { 'ok' }
