-- For wrk: what is asked for comes from the environment, what was found goes out as one line of JSON.
wrk.method = os.getenv("LOAD_METHOD")
wrk.body = os.getenv("LOAD_BODY")
if os.getenv("LOAD_TOKEN") then wrk.headers["Authorization"] = "Bearer " .. os.getenv("LOAD_TOKEN") end

-- With LOAD_UNIQUE, each request has another query. The service ignores the key n.
if os.getenv("LOAD_UNIQUE") then
    local number = 0
    function request()
        number = number + 1
        return wrk.format(nil, wrk.path .. "?n=" .. number)
    end
end

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    wrong = 0
end

function response(status, headers, body)
    if status >= 300 then wrong = wrong + 1 end
end

function done(summary, latency, requests)
    local refused = 0
    for _, thread in ipairs(threads) do refused = refused + thread:get("wrong") end
    local errors = summary.errors
    io.write(string.format(
        '\nLOAD {"requests": %d, "seconds": %.6f, "wrong": %d, "unanswered": %d, "p50_s": %.6f, "p99_s": %.6f}\n',
        summary.requests, summary.duration / 1e6, refused, errors.connect + errors.timeout,
        latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
