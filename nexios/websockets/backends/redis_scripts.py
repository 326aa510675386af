"""What does a Redis server do in one step for the channels? Scripts in Lua, each with its keys and arguments.

Numbers have up to 16 digits, which Lua would write with an exponent: hence the formats.
"""

from typing import Final

__all__ = ["HISTORY", "PRESENT", "PUBLISH"]

PUBLISH: Final = """
local log, meta, topic = KEYS[1], KEYS[2], KEYS[3]
local body, count, age, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local last = redis.call('HGET', meta, 'last')
local number = last and tonumber(last) + 1 or now[1] * 1000000 + now[2]
local id = string.format('%.0f', number)
redis.call('XADD', log, id .. '-0', 'b', body, 't', string.format('%.0f', ms))
local kept = redis.call('XLEN', log)
local held = #body
if kept > 1 then held = held + tonumber(redis.call('HGET', meta, 'size') or '0') end
while kept > 0 do
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if kept <= count and held <= size and tonumber(first[2][4]) > ms - age then break end
  redis.call('XDEL', log, first[1])
  kept = kept - 1
  held = held - #first[2][2]
end
redis.call('HSET', meta, 'last', id, 'size', string.format('%.0f', held))
redis.call('PEXPIRE', log, age)
redis.call('PEXPIRE', meta, ARGV[5])
redis.call('PUBLISH', topic, id .. ':' .. body)
return id
"""
"""Number, keep and publish a message; returns its number.

Keys: the stream, the hash with its last number and its bytes, the topic. Arguments: the body, the limits (count,
age in milliseconds, bytes), and for how many milliseconds the hash is kept.
"""

HISTORY: Final = """
local log, meta = KEYS[1], KEYS[2]
local now = redis.call('TIME')
local oldest = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(ARGV[1])
local after = tonumber(ARGV[2])
local last = redis.call('HGET', meta, 'last')
local first = ''
local found = {}
if last and after > tonumber(last) then after = 0 end
for _, entry in ipairs(redis.call('XRANGE', log, '-', '+')) do
  if tonumber(entry[2][4]) > oldest then
    local id = string.match(entry[1], '%d+')
    if first == '' then first = id end
    if tonumber(id) > after then
      found[#found + 1] = id
      found[#found + 1] = entry[2][2]
    end
  end
end
return {last or '', first, found}
"""
"""Read what came after a number. Keys: as above. Arguments: the age in milliseconds, the number.

Returns the last number, the number of the oldest message, and number and body of each message that came after.
"""

PRESENT: Final = """
local alive, found = {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local node, member = string.match(fields[index], '^([^/]*)/(.*)$')
  if alive[node] == nil then alive[node] = redis.call('EXISTS', ARGV[1] .. node) end
  if alive[node] == 1 then
    found[#found + 1] = member
    found[#found + 1] = fields[index + 1]
  else
    redis.call('HDEL', KEYS[1], fields[index])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return found
"""
"""Who is present in a channel, of processes that live; the others are taken out.

Keys: the hash. Arguments: what the keys of processes begin with, and for how many seconds the hash is kept.
"""
