-- For wrk, which runs this in one thread: each request has a token of its own, none of which is valid. A number is written
-- into the signature at its end, so that each costs the verifier all the work that there is.
--
--   wrk --script invalid.lua … -- TOKEN-FILE FIRST-NUMBER

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
-- Base64 digits for the number, and how far they end before the end of the value: padding is not to be touched.
local PLACES = 6
local FROM_END = 12

local before, after, number

local function digits_of(value)
    local digits = {}
    for place = PLACES, 1, -1 do
        local digit = value % 64
        digits[place] = DIGITS:sub(digit + 1, digit + 1)
        value = (value - digit) / 64
    end
    return table.concat(digits)
end

function init(args)
    local file = assert(io.open(args[1]))
    local token = file:read("*a")
    file:close()
    local start = #token - FROM_END - PLACES
    before, after = token:sub(1, start), token:sub(start + PLACES + 1)
    number = tonumber(args[2])
end

function request()
    number = number + 1
    return wrk.format("GET", "/auth/nginx", {
        ["X-Original-Method"] = "GET",
        ["X-Original-Host"] = "app.example.com",
        ["X-Original-URI"] = "/",
        ["Authorization"] = before .. digits_of(number) .. after,
    })
end
