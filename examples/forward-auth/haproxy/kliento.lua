-- Asks `kliento serve` whether a request may pass: HAProxy has no such thing built in.
--
--   http-request lua.kliento ADDRESS:PORT
--
-- Sets `txn.kliento.status` to 200 if it may, with X-Kliento-Subject and the rest as fields of the request; to 401 or 403
-- if it may not, with the verifier's reason in `txn.kliento.reason`; and to 503 whatever else happens. The request must have
-- no such fields yet: see haproxy.cfg.

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

-- Fields that are about the connection, or about a body that the question does not have, and not about the request
-- (RFC 9110 §7.6.1).
local OF_THE_CONNECTION = {
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["host"] = true,
    ["keep-alive"] = true,
    ["proxy-connection"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
}

-- The request's fields, all of which the verifier looks at: it refuses those by which a client could pass for somebody.
local function question_of(txn)
    local headers = txn.http:req_get_headers()
    local question = {}
    for name in pairs(headers) do
        if not OF_THE_CONNECTION[name] then
            question[name] = values(headers, name)
        end
    end
    -- What the request is. The verifier goes by these, and here they are set, whatever a client sent.
    question["x-original-method"] = { txn.f:method() }
    -- Two hosts are for the verifier to refuse.
    question["x-original-host"] = values(headers, "host")
    -- As the client sent it, and as it goes on to the server.
    question["x-original-uri"] = { txn.f:pathq() }
    -- For its record of decisions.
    question["x-original-client"] = { txn.f:src() }
    return question
end

local function ask(txn, verifier)
    return core.httpclient():get({
        url = "http://" .. verifier .. "/auth/haproxy",
        headers = question_of(txn),
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

-- Why the verifier refuses: a code of letters, digits, dots and underscores, and nothing that could end a string of JSON.
local function reason_of(answer)
    local found = answer.headers["x-kliento-reason"]
    return found and found[0]:match("^[%w._]+$") or ""
end

core.register_action("kliento", { "http-req" }, function(txn, verifier)
    txn:set_var("txn.kliento.status", 503)
    local answer = ask(txn, verifier)
    if answer.status == 200 then
        pass_on(txn, answer)
        txn:set_var("txn.kliento.status", 200)
    elseif answer.status == 401 or answer.status == 403 then
        txn:set_var("txn.kliento.status", answer.status)
        txn:set_var("txn.kliento.reason", reason_of(answer))
    end
end, 1)
