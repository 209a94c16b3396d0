-- Asks `kliento serve` whether a request may pass: HAProxy has no such thing built in.
--
--   http-request lua.kliento ADDRESS:PORT
--
-- Sets `txn.kliento.status` to 200 if it may, with X-Kliento-Subject and the rest as fields of the request; to 401 or 403
-- if it may not; and to 503 whatever else happens. The request must have no such fields yet: see haproxy.cfg.

-- Milliseconds. An answer takes less than one, as a rule; where there is none, HAProxy tries four times.
local TIMEOUT = 500

-- The fields of the verifier's answer that go on to the server, in lower case, as HAProxy has them.
local PREFIX = "x-kliento-"

-- What there is of a field in the request: HAProxy's arrays start at 0.
local function values(headers, name)
    local list = {}
    local found = headers[name]
    if found then
        local index = 0
        while found[index] do
            list[#list + 1] = found[index]
            index = index + 1
        end
    end
    return list
end

local function ask(txn, verifier)
    local headers = txn.http:req_get_headers()
    local question = {
        ["x-original-method"] = { txn.f:method() },
        -- Two hosts are for the verifier to refuse.
        ["x-original-host"] = values(headers, "host"),
        -- As the client sent it, and as it goes on to the server.
        ["x-original-uri"] = { txn.f:pathq() },
    }
    local authorization = values(headers, "authorization")
    if #authorization > 0 then
        question["authorization"] = authorization
    end
    return core.httpclient():get({
        url = "http://" .. verifier .. "/auth/haproxy",
        headers = question,
        timeout = TIMEOUT,
    })
end

local function pass_on(txn, answer)
    for name, found in pairs(answer.headers) do
        if name:lower():sub(1, #PREFIX) == PREFIX then
            txn.http:req_set_header(name, found[0])
        end
    end
end

core.register_action("kliento", { "http-req" }, function(txn, verifier)
    txn:set_var("txn.kliento.status", 503)
    local answer = ask(txn, verifier)
    if answer.status == 200 then
        pass_on(txn, answer)
        txn:set_var("txn.kliento.status", 200)
    elseif answer.status == 401 or answer.status == 403 then
        txn:set_var("txn.kliento.status", answer.status)
    end
end, 1)
