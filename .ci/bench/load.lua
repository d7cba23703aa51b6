-- Arguments: METHOD PATH OF BODY TOKEN; see load in wrk.go.
local number = 0

function setup(thread)
  number = number + 1
  thread:set("id", number)
end

function init(args)
  method, path, of = args[1], args[2], tonumber(args[3])
  headers = { ["Content-Type"] = "application/octet-stream" }
  if args[5] and args[5] ~= "" then headers["Authorization"] = "Bearer " .. args[5] end
  if method == "PUT" then
    -- Bytes that no server can make small.
    math.randomseed(os.time() + id)
    local all = {}
    for i = 1, tonumber(args[4]) do all[i] = string.char(math.random(0, 255)) end
    body = table.concat(all)
  else
    math.randomseed(id)
  end
  count = 0
end

function request()
  if method == "PUT" then
    count = count + 1
    return wrk.format(method, (path:gsub("%%d", id .. "-" .. count)), headers, body)
  end
  return wrk.format(method, (path:gsub("%%d", tostring(math.random(1, math.max(of, 1))))), headers)
end

function done(summary, latency)
  local e = summary.errors
  local broken = e.connect + e.read + e.write + e.timeout
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"failed":%d,"broken":%d,"mean":%f,"p50":%f,"p99":%f}\n',
    summary.requests, summary.duration, e.status + broken, broken, latency.mean, latency:percentile(50), latency:percentile(99)))
end
