-- Open: a generation claims a shard's row in one slot. From then on smaller generations are refused.
--
-- KEYS  rows, duplicates of the shard, layouts, job
-- ARGV  shard, generation, position at which to create the row ('' = it must be there)
-- Gives opened + row, noted duplicates, layouts (field, value, ...), first period kept, generation before ('' = new row);
-- fenced + generation; missing.
local shard, start = ARGV[1], ARGV[3]
local row = redis.call('HGET', KEYS[1], shard)
local opened, before
if row then
  local rest
  before, rest = string.match(row, '^(%S+) (.*)$')
  if tonumber(before) > tonumber(ARGV[2]) then
    return { 'fenced', before }
  end
  opened = ARGV[2] .. ' ' .. rest
elseif start == '' then
  return { 'missing' }
else
  opened = table.concat({ ARGV[2], start, '-', start, '0', '0' }, ' ')
end
local noted = redis.call('LRANGE', KEYS[2], 0, -1)
local layouts = redis.call('HGETALL', KEYS[3])
local low = redis.call('HGET', KEYS[4], 'low') or '0'
if opened ~= row then
  redis.call('HSET', KEYS[1], shard, opened)
end
return { 'opened', opened, noted, layouts, low, before or '' }
