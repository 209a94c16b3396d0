# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=dns-world.sh
#
# Domains that are set up wrongly, each in one way that people set up theirs, for `interop/doctor/run`: a root of their own
# beside that of dns-world.sh, with its programs and under its roof.
#
#   authority   BIND at 127.0.0.1, a port of its own; zones signed by dnssec-signzone or ldns-signzone, then spoilt
#   resolvers   Unbound that validates; Unbound that does not; Unbound that is refused by all
#   refusing    NSD, which serves none of these zones
#
# How to use it, once a world of dns-world.sh runs:
#
#   doctor_zones_start GOOD-RECORD OTHER-RECORD     the TXT records (without quotes) of a key and of another one
#
# It sets
#   DOCTOR_ANCHORS             the root's DS, as a zone-file line
#   DOCTOR_RESOLVER            the validating resolver
#   DOCTOR_NOT_VALIDATING      one that passes DNSSEC on but does not verify it
#   DOCTOR_FAILING             one that can't reach the DNS
#   DOCTOR_REFUSING            a name server that is no resolver
# and everything ends with `dns_world_stop`.

DOCTOR_DIR=
DOCTOR_ZONES=()
declare -A DOCTOR_DELEGATIONS=()

# doctor_zones_start GOOD-RECORD OTHER-RECORD
# shellcheck disable=SC2034 # most of the variables are for callers
doctor_zones_start() {
    DOCTOR_GOOD=$1
    DOCTOR_OTHER=$2
    DOCTOR_DIR=$DNS_WORLD_DIR/doctor
    DOCTOR_PORT=$((14000 + $$ % 6000))
    DOCTOR_RESOLVER=$DNS_WORLD_PREFIX.20
    DOCTOR_NOT_VALIDATING=$DNS_WORLD_PREFIX.21
    DOCTOR_FAILING=$DNS_WORLD_PREFIX.22
    DOCTOR_REFUSING=$DNS_WORLD_PREFIX.23
    DOCTOR_ANCHORS=$DOCTOR_DIR/root.ds
    mkdir -p "$DOCTOR_DIR"/{keys,strangers,zones,named,nsd,unbound}

    doctor__delegation_zones
    doctor__key_zones
    doctor__signature_zones
    doctor__record_zones
    doctor__size_zones
    doctor__top_zones
    doctor__start_named
    doctor__start_nsd
    doctor__start_unbound "$DOCTOR_RESOLVER" validating "validator iterator"
    doctor__start_unbound "$DOCTOR_NOT_VALIDATING" plain iterator
    doctor__start_failing
    local resolver
    for resolver in "$DOCTOR_RESOLVER" "$DOCTOR_NOT_VALIDATING"; do
        dns_world__await 20 "$resolver to answer for good.example" doctor__answers "$resolver" || return
    done
}

doctor__answers() {
    dig "@$1" good.example. SOA +dnssec +tries=1 +time=2 2>/dev/null | grep 'RRSIG[[:space:]]SOA' >/dev/null
}

# ---------------------------------------------------------------------------------------------------------
# Making zones

# doctor__zone ZONE [LINE...]: a zone file with the apex and these lines. `-` as the only line leaves out the good
# record.
doctor__zone() {
    local zone=$1
    shift
    DOCTOR_ZONES+=("$zone")
    mkdir -p "$DOCTOR_DIR/keys/$zone"
    {
        dns_world__apex "$zone" 127.0.0.1
        [[ $# -gt 0 ]] || echo "_veraid TXT \"$DOCTOR_GOOD\""
        [[ ${1:-} == - ]] || printf '%s\n' "$@"
    } >"$DOCTOR_DIR/zones/$zone"
}

# doctor__key ZONE ALGORITHM OPTION...: a key of the zone's; prints its path without an ending.
doctor__key() { doctor__keygen "keys/$1" "$@"; }

# doctor__stranger ZONE ALGORITHM OPTION...: a key of that name which the zone does not have.
doctor__stranger() { doctor__keygen strangers "$@"; }

doctor__keygen() { # DIRECTORY ZONE ALGORITHM OPTION...
    local directory=$DOCTOR_DIR/$1 zone=$2 algorithm=$3
    shift 3
    [[ $algorithm -gt 10 || " $* " == *" -b "* ]] || set -- -b 2048 "$@"
    echo "$directory/$(dnssec-keygen -q -K "$directory" -a "$algorithm" "$@" "$zone.")"
}

# doctor__keys ZONE [ALGORITHM [OPTION...]]: a key-signing and a zone-signing key.
doctor__keys() {
    local zone=$1 algorithm=${2:-13}
    shift $(($# > 2 ? 2 : $#))
    doctor__key "$zone" "$algorithm" "$@" -f KSK >/dev/null
    doctor__key "$zone" "$algorithm" "$@" >/dev/null
}

# doctor__sign ZONE [OPTION...]: signs the zone in place with all its keys, for a week unless told otherwise.
doctor__sign() {
    local zone=$1 file=$DOCTOR_DIR/zones/$1
    shift
    [[ " $* " == *" -s "* ]] || set -- -s now-3600 -e now+604800 "$@"
    dnssec-signzone -Q -P -S -O full -K "$DOCTOR_DIR/keys/$zone" -d "$DOCTOR_DIR/named" -o "$zone." -f "$file.signed" \
        "$@" "$file" >>"$DNS_WORLD_DIR/logs/dnssec-signzone.log" 2>&1
    mv "$file.signed" "$file"
}

# doctor__signed ZONE [OPTION...]: keys and signatures, as they should be but for the options.
doctor__signed() {
    doctor__keys "$1"
    doctor__sign "$@"
}

# doctor__delegate ZONE [DS-LINE...]: has the parent delegate the zone, with these DS records or none.
doctor__delegate() {
    local zone=$1 parent=${1##*.}
    shift
    [[ $zone == *.* ]] || parent=root
    DOCTOR_DELEGATIONS[$parent]+=$(dns_world__delegation "$zone" 127.0.0.1)$'\n'
    [[ $# -eq 0 ]] || DOCTOR_DELEGATIONS[$parent]+=$(printf '%s\n' "$@")$'\n'
}

# doctor__ds ZONE [OPTION]: the DS lines of a zone's key-signing keys, with SHA-256 unless told otherwise.
doctor__ds() {
    local key
    for key in "$DOCTOR_DIR/keys/$1"/K*.key; do
        if grep --quiet 'DNSKEY 257' "$key"; then dnssec-dsfromkey "${2:--2}" "$key"; fi
    done
}

# doctor__sound ZONE [LINE...]: a zone with which all is well.
doctor__sound() {
    doctor__zone "$@"
    doctor__signed "$1"
    doctor__delegate "$1" "$(doctor__ds "$1")"
}

# doctor__dnskey FILE: the DNSKEY record in a key's file, for another zone file.
doctor__dnskey() { grep -v '^;' "$1.key"; }

# doctor__spoil ZONE SCRIPT: edits a signed zone (one record a line) with sed.
doctor__spoil() { sed -E -i "$2" "$DOCTOR_DIR/zones/$1"; }

# ---------------------------------------------------------------------------------------------------------
# The cases

doctor__delegation_zones() {
    local zone stranger
    doctor__sound good.example

    doctor__zone unsigned.example
    doctor__delegate unsigned.example

    doctor__zone nods.example
    doctor__signed nods.example
    doctor__delegate nods.example

    # Signed with CDS records that ask for the DS, which nobody has put there.
    doctor__zone cds.example
    doctor__key cds.example 13 -P sync now -f KSK >/dev/null
    doctor__key cds.example 13 >/dev/null
    doctor__sign cds.example
    doctor__delegate cds.example

    doctor__zone leaving.example "_veraid TXT \"$DOCTOR_GOOD\"" "@ CDS 0 0 0 00" "@ CDNSKEY 0 3 0 AA=="
    doctor__signed leaving.example
    doctor__delegate leaving.example "$(doctor__ds leaving.example)"

    # As after a move to another DNS host.
    doctor__zone moved.example
    doctor__signed moved.example
    doctor__delegate moved.example "$(dnssec-dsfromkey -2 "$(doctor__stranger moved.example 13 -f KSK).key")"

    # As after typing it off a screen: another last digit of the digest, another key tag.
    doctor__zone typo.example
    doctor__signed typo.example
    doctor__delegate typo.example "$(doctor__ds typo.example | awk '{
        last = substr($0, length($0)); print substr($0, 1, length($0) - 1) (last == "0" ? "1" : "0") }')"
    doctor__zone typotag.example
    doctor__signed typotag.example
    doctor__delegate typotag.example "$(doctor__ds typotag.example | awk '{ $4 = ($4 + 1) % 65536; print }')"

    doctor__zone switchedoff.example
    doctor__delegate switchedoff.example \
        "$(dnssec-dsfromkey -2 "$(doctor__stranger switchedoff.example 13 -f KSK).key")"

    for zone in sha1ds sha1beside digest200 digest200beside staleds; do
        doctor__zone "$zone.example"
        doctor__signed "$zone.example"
    done
    doctor__delegate sha1ds.example "$(doctor__ds sha1ds.example -1)"
    doctor__delegate sha1beside.example "$(doctor__ds sha1beside.example -1)" "$(doctor__ds sha1beside.example)"
    doctor__delegate digest200.example "$(doctor__unknown_digest digest200.example)"
    doctor__delegate digest200beside.example "$(doctor__unknown_digest digest200beside.example)" \
        "$(doctor__ds digest200beside.example)"
    stranger=$(doctor__stranger staleds.example 13 -f KSK)
    doctor__delegate staleds.example "$(doctor__ds staleds.example)" "$(dnssec-dsfromkey -2 "$stranger.key")"

    # A zone two labels below the one above it.
    doctor__sound deep.cut.example

    # Nobody serves it: the name server that the delegation names refuses.
    DOCTOR_DELEGATIONS[example]+=$(dns_world__delegation lame.example "$DOCTOR_REFUSING")$'\n'

    # Below an ending that does not take part.
    doctor__zone child.plain
    doctor__signed child.plain
    doctor__delegate child.plain "$(doctor__ds child.plain)"
}

# DS lines with a digest of a type that nobody knows.
doctor__unknown_digest() { doctor__ds "$1" | awk '{ $6 = 200; print }'; }

doctor__key_zones() {
    local zone key
    doctor__zone sha1.example
    doctor__keys sha1.example 7
    doctor__sign sha1.example
    doctor__delegate sha1.example "$(doctor__ds sha1.example)"

    doctor__zone ed448.example
    doctor__keys ed448.example 16
    doctor__sign ed448.example
    doctor__delegate ed448.example "$(doctor__ds ed448.example)"

    # A key of another algorithm that signs nothing.
    for zone in 16:ed448beside 7:sha1keybeside; do
        key=$(doctor__stranger "${zone#*:}.example" "${zone%%:*}")
        doctor__sound "${zone#*:}.example" "_veraid TXT \"$DOCTOR_GOOD\"" "$(doctor__dnskey "$key")"
    done

    doctor__zone rsa1024.example
    doctor__keys rsa1024.example 8 -b 1024
    doctor__sign rsa1024.example
    doctor__delegate rsa1024.example "$(doctor__ds rsa1024.example)"

    # BIND's tools make no such key any more.
    doctor__zone rsa512.example
    (
        cd "$DOCTOR_DIR/keys/rsa512.example" || exit
        key=$(ldns-keygen -k -a RSASHA256 -b 512 rsa512.example)
        ldns-signzone -o rsa512.example. -i "$(($(date +%s) - 3600))" -e "$(($(date +%s) + 604800))" \
            -f "$DOCTOR_DIR/zones/rsa512.example.signed" "$DOCTOR_DIR/zones/rsa512.example" "$key"
    )
    mv "$DOCTOR_DIR/zones/rsa512.example.signed" "$DOCTOR_DIR/zones/rsa512.example"
    doctor__delegate rsa512.example "$(ldns-key2ds -n -2 "$DOCTOR_DIR/keys/rsa512.example"/K*.key)"

    # The one key that the DS is for was revoked.
    doctor__zone revoked.example
    key=$(doctor__key revoked.example 13 -f KSK)
    doctor__key revoked.example 13 >/dev/null
    key=$(dnssec-revoke -r "$key")
    doctor__sign revoked.example
    doctor__delegate revoked.example "$(ldns-key2ds -n -f -2 "$key.key")"

    doctor__zone revokedbeside.example
    key=$(doctor__key revokedbeside.example 13 -f KSK)
    dnssec-revoke -r "$key" >/dev/null
    doctor__signed revokedbeside.example
    doctor__delegate revokedbeside.example "$(doctor__ds revokedbeside.example)"

    # A key without the zone bit, beside the zone's own; in the first case the DS is for it alone.
    for zone in nozonekey nozonekeybeside; do
        key=$(doctor__stranger "$zone.example" 13 -f KSK)
        sed -i 's/DNSKEY 257/DNSKEY 1/' "$key.key"
        doctor__zone "$zone.example" "_veraid TXT \"$DOCTOR_GOOD\"" "$(doctor__dnskey "$key")"
        doctor__signed "$zone.example"
    done
    doctor__delegate nozonekey.example \
        "$(ldns-key2ds -n -f -2 "$DOCTOR_DIR"/strangers/Knozonekey.example.*.key)"
    doctor__delegate nozonekeybeside.example "$(doctor__ds nozonekeybeside.example)"

    doctor__zone rollover.example
    doctor__key rollover.example 13 -f KSK >/dev/null
    doctor__signed rollover.example
    doctor__delegate rollover.example "$(doctor__ds rollover.example)"

    doctor__zone nsec3.example
    doctor__signed nsec3.example -3 - -H 150
    doctor__delegate nsec3.example "$(doctor__ds nsec3.example)"
}

doctor__signature_zones() {
    local zone key
    for zone in expired early missing bad keygone notsigning mixed short ending; do
        doctor__zone "$zone.example"
        doctor__keys "$zone.example"
    done
    doctor__sign expired.example -s now-864000 -e now-86400
    doctor__sign early.example -s now+86400 -e now+604800
    doctor__sign short.example -s now-3600 -e now+86400
    doctor__sign ending.example -s now-604800 -e now+36000

    doctor__sign missing.example
    doctor__spoil missing.example '/RRSIG[[:space:]]+TXT /d'

    doctor__sign bad.example
    doctor__spoil bad.example '/TXT[[:space:]]+"/s/ 3600/ 3601/'

    # The records' signature is by a key that has gone.
    cp "$DOCTOR_DIR/zones/keygone.example" "$DOCTOR_DIR/zones/keygone.before"
    doctor__sign keygone.example
    mkdir "$DOCTOR_DIR/keys/gone"
    mv "$DOCTOR_DIR/keys/keygone.example" "$DOCTOR_DIR/keys/keygone.after"
    mkdir "$DOCTOR_DIR/keys/keygone.example"
    cp "$DOCTOR_DIR/zones/keygone.example" "$DOCTOR_DIR/zones/keygone.new"
    mv "$DOCTOR_DIR/zones/keygone.before" "$DOCTOR_DIR/zones/keygone.example"
    doctor__signed keygone.example
    {
        grep -Ev 'RRSIG[[:space:]]+TXT ' "$DOCTOR_DIR/zones/keygone.new"
        grep -E 'RRSIG[[:space:]]+TXT ' "$DOCTOR_DIR/zones/keygone.example"
    } >"$DOCTOR_DIR/zones/keygone.mixed"
    mv "$DOCTOR_DIR/zones/keygone.mixed" "$DOCTOR_DIR/zones/keygone.example"
    rm -r "$DOCTOR_DIR/keys/keygone.example" "$DOCTOR_DIR/zones/keygone.new"
    mv "$DOCTOR_DIR/keys/keygone.after" "$DOCTOR_DIR/keys/keygone.example"

    # The DS is for a key that is published, but signs nothing.
    key=$(doctor__stranger notsigning.example 13 -f KSK)
    doctor__dnskey "$key" >>"$DOCTOR_DIR/zones/notsigning.example"
    doctor__sign notsigning.example
    doctor__delegate notsigning.example "$(dnssec-dsfromkey -2 "$key.key")"

    # Two algorithms, of which the records are signed with the one that few know.
    doctor__keys mixed.example 16
    doctor__sign mixed.example
    doctor__spoil mixed.example '/RRSIG[[:space:]]+TXT 13 /d'

    for zone in expired early missing bad keygone mixed short ending; do
        doctor__delegate "$zone.example" "$(doctor__ds "$zone.example")"
    done

    # Below an ending whose signatures end soon.
    doctor__sound child.brief

    doctor__sound override.example "_veraid TXT \"${DOCTOR_GOOD/ 3600/ 7776000}\""
}

doctor__record_zones() {
    local id=${DOCTOR_GOOD#1 } lines=()
    id=${id%% *}
    local hex
    hex=$(base64 --decode <<<"$id" | od -An -v -tx1 | tr -d ' \n')
    # NAME VALUE, as in a zone file; the domain is NAME.records.example.
    doctor__record() { lines+=("_veraid.$1 TXT $2"); }
    doctor__record two "\"$DOCTOR_GOOD\""
    doctor__record two "\"$DOCTOR_OTHER\""
    doctor__record other "\"$DOCTOR_OTHER\""
    doctor__record quoted "\"\\\"$DOCTOR_GOOD\\\"\""
    doctor__record typography "\"\\226\\128\\156$DOCTOR_GOOD\\226\\128\\157\""
    doctor__record zoneline "\"_veraid.records.example. 3600 IN TXT \\\"$DOCTOR_GOOD\\\"\""
    doctor__record pem "\"-----BEGIN PUBLIC KEY----- MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\""
    doctor__record commas "\"1,$id,3600\""
    doctor__record domainauthform "\"0 1 1 $id 3600\""
    doctor__record algorithm "\"4 $id 3600\""
    doctor__record incomplete "\"1 $id\""
    doctor__record hex "\"1 $hex 3600\""
    doctor__record cutid "\"1 ${id:0:40} 3600\""
    doctor__record wrongalgorithm "\"2 $id 3600\""
    doctor__record urlid "\"1 $(tr '+/' '-_' <<<"-${id:1}") 3600\""
    doctor__record zero "\"1 $id 0\""
    doctor__record hour "\"1 $id 1h\""
    doctor__record service "\"1 $id 3600 kliento\""
    doctor__record fields "\"1 $id 3600 1.2.3 for the api\""
    doctor__record otherservice "\"1 $id 3600 1.2.3.4\""
    doctor__record foreign "\"v=spf1 -all\""
    doctor__record spf "\"$DOCTOR_GOOD\""
    doctor__record spf "\"v=spf1 -all\""
    doctor__record beside "\"$DOCTOR_GOOD\""
    doctor__record beside "\"1 $id 1h\""
    doctor__record twice "\"$DOCTOR_GOOD\""
    doctor__record twice "\"${DOCTOR_GOOD/ 3600/ 7200}\""
    doctor__record split "\"1 ${id:0:20}\" \"${id:20} 3600\""
    doctor__record spaces "\"1   $id 3600 \""
    doctor__record tabs "\"1\\009$id 3600\""
    doctor__record digesttype "\"1 1 $id 3600\""
    doctor__record large "\"1 $id 99999999\""
    doctor__record domainauth "\"$DOCTOR_GOOD\""
    doctor__record baddomainauth "\"$DOCTOR_GOOD\""
    lines+=("_domainauth.domainauth TXT \"0 1 1 ${id%=} 3600\"" "_domainauth.baddomainauth TXT \"$DOCTOR_GOOD\"")
    lines+=("absent TXT \"hello\"" "veraid.label TXT \"$DOCTOR_GOOD\"" "apex TXT \"$DOCTOR_GOOD\"")
    lines+=("_veraid.failing TXT \"$DOCTOR_GOOD\"")
    # Aliases and wildcards.
    lines+=("_veraid.alias CNAME _veraid.good.example." "_veraid.dangling CNAME nowhere.good.example.")
    lines+=("dname DNAME good.example." "*.wild TXT \"$DOCTOR_GOOD\"")
    lines+=("*.nomail TXT \"v=spf1 -all\"")
    doctor__sound records.example "${lines[@]}"

    # A form that adds the zone's name, and a name in full.
    doctor__sound doubled.example "_veraid.doubled.example TXT \"$DOCTOR_GOOD\""
}

# The records of so many keys that tokens with them are large, and too large. (BIND loads no more than 100 of a type.)
doctor__size_zones() {
    local zone count lines number
    for zone in wide:30 huge:99; do
        count=${zone#*:}
        lines=("_veraid TXT \"$DOCTOR_GOOD\"")
        for ((number = 0; number < count; number++)); do lines+=("_veraid TXT \"$(dns_world__made_up_record 3)\""); done
        doctor__sound "${zone%:*}.example" "${lines[@]}"
    done
}

# The endings and the root, which delegate to all of the above.
doctor__top_zones() {
    local zone
    for zone in example plain brief root; do
        DOCTOR_ZONES+=("$zone")
        mkdir -p "$DOCTOR_DIR/keys/$zone"
        [[ $zone != root ]] || continue
        {
            dns_world__apex "$zone" 127.0.0.1
            echo "${DOCTOR_DELEGATIONS[$zone]}"
        } >"$DOCTOR_DIR/zones/$zone"
    done
    doctor__keys example
    doctor__sign example -A -3 -
    doctor__keys brief
    doctor__sign brief -s now-604800 -e now+36000
    doctor__delegate example "$(doctor__ds example)"
    doctor__delegate brief "$(doctor__ds brief)"
    doctor__delegate plain
    {
        dns_world__apex "" 127.0.0.1
        echo "${DOCTOR_DELEGATIONS[root]}"
    } >"$DOCTOR_DIR/zones/root"
    dnssec-keygen -q -K "$DOCTOR_DIR/keys/root" -a 8 -b 2048 -f KSK . >/dev/null
    dnssec-keygen -q -K "$DOCTOR_DIR/keys/root" -a 8 -b 2048 . >/dev/null
    dnssec-signzone -Q -P -S -O full -K "$DOCTOR_DIR/keys/root" -d "$DOCTOR_DIR/named" -o . -s now-3600 -e now+604800 \
        -f "$DOCTOR_DIR/zones/root.signed" "$DOCTOR_DIR/zones/root" >>"$DNS_WORLD_DIR/logs/dnssec-signzone.log" 2>&1
    mv "$DOCTOR_DIR/zones/root.signed" "$DOCTOR_DIR/zones/root"
    doctor__ds root >"$DOCTOR_ANCHORS"
}

# ---------------------------------------------------------------------------------------------------------
# Servers

doctor__start_named() {
    local zone
    {
        cat <<CONF
options {
    directory "$DOCTOR_DIR/named";
    pid-file "$DOCTOR_DIR/named/named.pid";
    session-keyfile "$DOCTOR_DIR/named/session.key";
    managed-keys-directory "$DOCTOR_DIR/named";
    listen-on port $DOCTOR_PORT { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    dnssec-validation no;
    notify no;
    minimal-responses yes;
};
controls { };
CONF
        for zone in "${DOCTOR_ZONES[@]}"; do
            printf 'zone "%s" { type primary; file "%s"; };\n' "${zone/#root/.}" "$DOCTOR_DIR/zones/$zone"
        done
    } >"$DOCTOR_DIR/named/named.conf"
    dns_world__run named -f -c "$DOCTOR_DIR/named/named.conf" -g
}

# A name server for no domain at all.
doctor__start_nsd() {
    cat >"$DOCTOR_DIR/nsd/nsd.conf" <<CONF
server:
    ip-address: $DOCTOR_REFUSING
    do-ip6: no
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "$DOCTOR_DIR/nsd"
    pidfile: "$DOCTOR_DIR/nsd/nsd.pid"
    database: ""
    zonelistfile: "$DOCTOR_DIR/nsd/zone.list"
    xfrdfile: "$DOCTOR_DIR/nsd/xfrd.state"
    xfrdir: "$DOCTOR_DIR/nsd"
    cookie-secret-file: "$DOCTOR_DIR/nsd/cookies"
remote-control:
    control-enable: no
CONF
    dns_world__run nsd -d -c "$DOCTOR_DIR/nsd/nsd.conf"
}

doctor__unbound_head() { # ADDRESS NAME MODULES
    cat <<CONF
server:
    directory: "$DOCTOR_DIR/unbound"
    pidfile: "$DOCTOR_DIR/unbound/$2.pid"
    chroot: ""
    username: ""
    use-syslog: no
    logfile: ""
    num-threads: 1
    interface: $1@53
    access-control: 127.0.0.0/8 allow
    do-ip6: no
    do-not-query-localhost: no
    module-config: "$3"
    ede: yes
    max-udp-size: 1232
    edns-buffer-size: 1232
remote-control:
    control-enable: no
CONF
}

doctor__start_unbound() { # ADDRESS NAME MODULES
    local zone
    {
        doctor__unbound_head "$@"
        cat <<CONF
server:
    trust-anchor-file: "$DOCTOR_ANCHORS"
    # As a firewall does that knows no names with an underscore.
    local-zone: "_veraid.failing.records.example." always_refuse
CONF
        for zone in "${DOCTOR_ZONES[@]}"; do
            printf 'stub-zone:\n    name: "%s"\n    stub-addr: 127.0.0.1@%s\n' "${zone/#root/.}" "$DOCTOR_PORT"
        done
    } >"$DOCTOR_DIR/unbound/$2.conf"
    dns_world__run unbound -d -c "$DOCTOR_DIR/unbound/$2.conf"
}

# A resolver that is refused by the one that it asks.
doctor__start_failing() {
    {
        doctor__unbound_head "$DOCTOR_FAILING" failing iterator
        printf 'forward-zone:\n    name: "."\n    forward-addr: %s\n' "$DOCTOR_REFUSING"
    } >"$DOCTOR_DIR/unbound/failing.conf"
    dns_world__run unbound -d -c "$DOCTOR_DIR/unbound/failing.conf"
}
