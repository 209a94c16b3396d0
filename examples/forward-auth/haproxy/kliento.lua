-- Asks `kliento serve` whether a request may pass. HAProxy has no built-in function for this.
--
--   http-request lua.kliento ADDRESS:PORT
--
-- Sets `txn.kliento.status` to
--
--   200          if it may. X-Kliento-Subject and the other fields are then fields of the request;
--   401 or 403   if it may not. `txn.kliento.reason` is then the verifier's reason;
--   503          in all other cases.
--
-- The request must not have such fields yet: see haproxy.cfg.

-- In milliseconds. An answer usually takes less than one. If there is none, HAProxy tries four times.
local TIMEOUT = 500

-- The prefix of the answer's fields that are passed on to the server. HAProxy has names in lower case.
local PREFIX = "x-kliento-"

-- The values of a field in the request. HAProxy's arrays start at 0.
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

-- Fields about the connection, or about the body, which the verifier does not get (RFC 9110 §7.6.1).
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

-- The request's fields. The verifier checks all of them, and refuses those that could forge an identity.
local function question_of(txn)
    local headers = txn.http:req_get_headers()
    local question = {}
    for name in pairs(headers) do
        if not OF_THE_CONNECTION[name] then
            question[name] = values(headers, name)
        end
    end
    -- The description of the request, which the verifier decides by. These lines replace a client's fields.
    question["x-original-method"] = { txn.f:method() }
    -- If there are two hosts, the verifier refuses the request.
    question["x-original-host"] = values(headers, "host")
    -- The target as the client sent it and as the server gets it.
    question["x-original-uri"] = { txn.f:pathq() }
    -- For the verifier's record of decisions.
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

-- The verifier's reason for a refusal: letters, digits, dots and underscores, so it is safe in a JSON string.
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
