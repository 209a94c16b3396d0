# shellcheck shell=bash
#
# A small DNSSEC world on loopback, made of other people's servers, for scripts to source.
#
#   .                 BIND      algorithm 8, KSK and ZSK, NSEC, signed by dnssec-signzone
#   example.          BIND      algorithm 13, KSK and ZSK, NSEC3, signed by dnssec-signzone
#   ORGANISATION      BIND      dynamic zone signed by `named` itself
#                     Knot DNS  signed by `knotd` itself
#                     NSD       signed by ldns-signzone
#                     PowerDNS  zone file, keys by `pdnsutil`, signed with each answer
#   resolver          Unbound   UDP, TCP, DNS over TLS, DNS over HTTPS; validates from this root
#
# An organisation's zone has NSEC, or NSEC3 in one of its forms, and either one key (CSK) or KSK and ZSK. A set of
# zones to ask for by the word `samples` holds all that can become of a question, with every server.
#
# Beside them stand the names and resolvers that ought to fail; see the variables below.
#
# It needs root and Debian (or a close relative), since Knot DNS, NSD and PowerDNS answer on port 53: a delegation
# can't name another port. BIND alone listens on nothing but addresses that an interface has, so `named` is at
# 127.0.0.1 and a port, and the resolver is told so for each of its zones. Every world has a directory, a
# 127.x.y.0/24 and two ports of its own, so that several can run at once. Nothing outside the directory is
# written but packages, and nothing survives `dns_world_stop`.
#
# How to use it:
#
#   source "$(dirname "$0")/lib/dns-world.sh"
#   trap dns_world_stop EXIT              # and `trap 'exit 130' INT; trap 'exit 143' TERM`
#   dns_world_install
#   dns_world_start                       # or: dns_world_start one.example:bind:13 two.example:knot:8
#   dns_world_publish "$(kliento organisation record --domain one.example --key one.pem)"
#   kliento dnssec retrieve --domain one.example --resolver "$DNS_WORLD_RESOLVER" \
#       --trust-anchors "$DNS_WORLD_ANCHORS" --out one.chain
#
# Functions for callers, each documented where it is defined:
#   dns_world_install, dns_world_start, dns_world_start_interop, dns_world_publish, dns_world_add_txt,
#   dns_world_withdraw, dns_world_fill, dns_world_check_secure, dns_world_verdicts, dns_world_describe,
#   dns_world_queries, dns_world_stop
#
# Variables set by dns_world_start:
#   DNS_WORLD_DIR            the directory; gone after dns_world_stop
#   DNS_WORLD_ANCHORS        the root's DS, as a zone-file line
#   DNS_WORLD_ANCHORS_DNSKEY the same anchor as a DNSKEY line
#   DNS_WORLD_ANCHORS_BIND   the same anchor as a `trust-anchors` statement, for delv
#   DNS_WORLD_ORGANISATIONS  the organisations' zones, without a final dot
#   DNS_WORLD_SAMPLES        the sample zones, likewise
#   DNS_WORLD_SERVER, DNS_WORLD_ALGORITHM, DNS_WORLD_DENIAL, DNS_WORLD_KEYS
#                            by zone, of both kinds: as it was asked for
#   DNS_WORLD_NEXT           by sample zone: the one into which its aliases lead
#   DNS_WORLD_RESOLVER       address of the validating resolver, port 53 over UDP and TCP
#   DNS_WORLD_RESOLVER_PORT  an unusual port on which it answers as well
#   DNS_WORLD_RESOLVER_TLS   its `tls://` URL
#   DNS_WORLD_RESOLVER_HTTPS its `https://` URL
#   DNS_WORLD_RESOLVER_CA    PEM certificate of the authority that vouches for those two
#   DNS_WORLD_OTHER_CA       PEM certificate of one that does not
#   DNS_WORLD_STRIPPING      ADDRESS:PORT of a resolver (BIND) that talks to its upstream without EDNS, so that
#                            its answers never hold an RRSIG
#   DNS_WORLD_SILENT         address that swallows whatever it gets on port 53, and accepts TCP connections
#                            on 53, 853 and 443, and never answers
#   DNS_WORLD_CLOSED         address on which nothing listens
#   DNS_WORLD_UNSIGNED       a domain with TXT records, but neither DS nor RRSIG
#   DNS_WORLD_LAME           a domain whose only server refuses to answer for it: SERVFAIL from the resolver
#   DNS_WORLD_BOGUS          a domain signed by a key that its DS does not commit to
#   DNS_WORLD_EXPIRED        a domain whose signatures all expired yesterday

DNS_WORLD_PACKAGES=(bind9 bind9-dnsutils bind9-utils knot ldnsutils nsd openssl pdns-backend-bind pdns-server socat
    unbound)
# PACKAGE:SERVICE:PROGRAM
DNS_WORLD_SERVICES=(bind9:named:named knot:knot:knotd nsd:nsd:nsd pdns-server:pdns:pdns_server unbound:unbound:unbound)
DNS_WORLD_PROGRAMS=(knotd named nsd pdns_server socat unbound)
# What is asked of a world when the caller asks for nothing in particular. `co.example` is no zone: a cut is
# where a delegation says, not at every label.
DNS_WORLD_DEFAULT=(one.example:bind:13 two.example:knot:8 three.co.example:nsd:15 four.example:pdns:14)
# What `samples` stands for: each server with NSEC and with NSEC3. Each zone has aliases into the next one, the last
# into the first. NSEC3 is as RFC 9276 wants it (no salt, no additional iterations, no opt-out) but in two of them.
DNS_WORLD_SAMPLE_ZONES=(
    bind-nsec.example:bind:8:nsec:ksk+zsk
    knot-nsec3.example:knot:10:nsec3-salted:ksk+zsk
    nsd-nsec.example:nsd:15:nsec:csk
    pdns-nsec3.example:pdns:8:nsec3:ksk+zsk
    bind-nsec3.example:bind:13:nsec3-opt-out:csk
    knot-nsec.example:knot:14:nsec:csk
    nsd-nsec3.example:nsd:13:nsec3:ksk+zsk
    pdns-nsec.example:pdns:13:nsec:csk
    pdns-narrow.example:pdns:15:nsec3-narrow:csk
)
# RFC 8624 numbers, and what each tool calls them.
declare -A DNS_WORLD_MNEMONIC=([8]=RSASHA256 [10]=RSASHA512 [13]=ECDSAP256SHA256 [14]=ECDSAP384SHA384 [15]=ED25519)
declare -A DNS_WORLD_PDNS_MNEMONIC=([8]=rsasha256 [10]=rsasha512 [13]=ecdsa256 [14]=ecdsa384 [15]=ed25519)
# What a zone has that was asked for without saying.
declare -A DNS_WORLD_USUAL_DENIAL=([bind]=nsec [knot]=nsec3 [nsd]=nsec [pdns]=nsec)
declare -A DNS_WORLD_USUAL_KEYS=([bind]=csk [knot]=ksk+zsk [nsd]=ksk+zsk [pdns]=csk)
# Of `nsec3-salted`: far beyond what RFC 9276 asks for, and less than validators take for insecure.
DNS_WORLD_SALT_OCTETS=8
DNS_WORLD_ITERATIONS=5

DNS_WORLD_DIR=
DNS_WORLD_PIDS=()
DNS_WORLD_ORGANISATIONS=()
DNS_WORLD_SAMPLES=()
DNS_WORLD_ZONES=()
declare -A DNS_WORLD_SERVER=() DNS_WORLD_ALGORITHM=() DNS_WORLD_DENIAL=() DNS_WORLD_KEYS=() DNS_WORLD_NEXT=()

# ---------------------------------------------------------------------------------------------------------
# Installing

# dns_world_install: installs the packages that are missing. Their services are neither started nor enabled.
dns_world_install() {
    if [[ $EUID -ne 0 ]]; then
        echo "dns-world: this needs root: it installs packages and answers on port 53 of loopback addresses" >&2
        return 1
    fi
    # Two scripts may come here at the same time.
    (
        flock 9
        dns_world__install_missing
    ) 9>/run/lock/kliento-dns-world
}

dns_world__install_missing() {
    local package missing=()
    for package in "${DNS_WORLD_PACKAGES[@]}"; do
        if [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
            missing+=("$package")
        fi
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0

    echo "dns-world: installing ${missing[*]}" >&2
    # Debian's way of installing a server without starting it.
    local policy=/usr/sbin/policy-rc.d own_policy=
    if [[ ! -e $policy ]]; then
        own_policy=$policy
        # shellcheck disable=SC2064 # the path is wanted as it is now
        trap "rm -f '$policy'" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    local log
    log=$(mktemp)
    if ! {
        apt-get --quiet --option DPkg::Lock::Timeout=300 update &&
            DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends \
                --option DPkg::Lock::Timeout=300 install "${missing[@]}"
    } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    if [[ -n $own_policy ]]; then
        rm -f "$own_policy"
    fi
    dns_world__keep_services_off "${missing[@]}"
}

# Whoever had such a server before keeps it as it was; those that came with us stay off, after a reboot too.
dns_world__keep_services_off() {
    local entry package service program
    for entry in "${DNS_WORLD_SERVICES[@]}"; do
        IFS=: read -r package service program <<<"$entry"
        [[ " $* " == *" $package "* ]] || continue
        if command -v systemctl >/dev/null; then
            systemctl --quiet disable "$service.service" >/dev/null 2>&1 || true
        fi
        if dns_world__runs "/usr/sbin/$program"; then
            echo "dns-world: installing $package started $program" >&2
            return 1
        fi
    done
}

# Whether a process runs whose executable's path starts with $1.
dns_world__runs() {
    local process
    for process in /proc/[0-9]*/exe; do
        if [[ $(readlink "$process" 2>/dev/null) == "$1"* ]]; then
            return 0
        fi
    done
    return 1
}

# ---------------------------------------------------------------------------------------------------------
# Starting

# dns_world_start [ORGANISATION:SERVER:ALGORITHM[:DENIAL:KEYS]]... [samples]
#   Makes the zones and starts all servers; returns when the resolver has proven every organisation's zone.
#   ORGANISATION is a domain below `example` and not below another one; SERVER is bind, knot, nsd or pdns; ALGORITHM
#   is 8, 10, 13, 14 or 15; DENIAL is nsec, nsec3, nsec3-salted, nsec3-opt-out or, with pdns, nsec3-narrow (each
#   answer has NSEC3 records of its own, RFC 7129 appendix B); KEYS is csk or ksk+zsk.
# shellcheck disable=SC2034 # most of the variables are for callers
dns_world_start() {
    if [[ -n $DNS_WORLD_DIR ]]; then
        echo "dns-world: a world is running already, in $DNS_WORLD_DIR" >&2
        return 1
    fi
    [[ $# -gt 0 ]] || set -- "${DNS_WORLD_DEFAULT[@]}"
    DNS_WORLD_DIR=$(mktemp --directory --tmpdir kliento-dns-world.XXXXXX)
    chmod 755 "$DNS_WORLD_DIR"
    mkdir "$DNS_WORLD_DIR"/{bin,bind,bind/keys,bind/zones,knot,knot/zones,logs,nsd,nsd/keys,nsd/zones} \
        "$DNS_WORLD_DIR"/{pdns,pdns/zones,stripping,tls,unbound}

    # Processes that run at the same time have different numbers; the ports are below those that the kernel
    # gives out.
    DNS_WORLD_PREFIX=127.$((128 + ($$ >> 8) % 127)).$(($$ % 256))
    DNS_WORLD_BIND_SERVER=127.0.0.1
    DNS_WORLD_BIND_PORT=$((20000 + $$ % 6000 * 2))
    DNS_WORLD_KNOT_SERVER=$DNS_WORLD_PREFIX.1
    DNS_WORLD_NSD_SERVER=$DNS_WORLD_PREFIX.2
    DNS_WORLD_PDNS_SERVER=$DNS_WORLD_PREFIX.3
    DNS_WORLD_RESOLVER=$DNS_WORLD_PREFIX.10
    DNS_WORLD_RESOLVER_PORT=5335
    DNS_WORLD_RESOLVER_TLS=tls://$DNS_WORLD_RESOLVER:853
    DNS_WORLD_RESOLVER_HTTPS=https://$DNS_WORLD_RESOLVER:443/dns-query
    DNS_WORLD_RESOLVER_CA=$DNS_WORLD_DIR/tls/ca.pem
    DNS_WORLD_OTHER_CA=$DNS_WORLD_DIR/tls/other-ca.pem
    DNS_WORLD_STRIPPING_PORT=$((DNS_WORLD_BIND_PORT + 1))
    DNS_WORLD_STRIPPING=127.0.0.1:$DNS_WORLD_STRIPPING_PORT
    DNS_WORLD_SILENT=$DNS_WORLD_PREFIX.12
    DNS_WORLD_CLOSED=$DNS_WORLD_PREFIX.13
    DNS_WORLD_ANCHORS=$DNS_WORLD_DIR/root.ds
    DNS_WORLD_ANCHORS_DNSKEY=$DNS_WORLD_DIR/root.dnskey
    DNS_WORLD_ANCHORS_BIND=$DNS_WORLD_DIR/root.trust-anchors
    DNS_WORLD_UNSIGNED=unsigned.example
    DNS_WORLD_LAME=lame.example
    DNS_WORLD_BOGUS=bogus.example
    DNS_WORLD_EXPIRED=expired.example

    dns_world__read_zones "$@" || return
    # AppArmor ties a server to its place in /usr/sbin and to its usual directories. Copies are free of that,
    # and are told from the system's own servers by their path.
    local program
    for program in "${DNS_WORLD_PROGRAMS[@]}"; do
        cp "$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")" "$DNS_WORLD_DIR/bin/"
    done

    dns_world__make_tls
    dns_world__prepare_bind
    dns_world__prepare_nsd
    dns_world__prepare_knot
    dns_world__prepare_pdns
    dns_world__run knotd -c "$DNS_WORLD_DIR/knot/knot.conf"
    dns_world__run nsd -d -c "$DNS_WORLD_DIR/nsd/nsd.conf"
    dns_world__run pdns_server --config-dir="$DNS_WORLD_DIR/pdns"
    dns_world__await_knot || return
    dns_world__make_tld_and_root
    dns_world__run named -f -c "$DNS_WORLD_DIR/bind/named.conf" -g
    dns_world__prepare_unbound
    dns_world__run unbound -d -c "$DNS_WORLD_DIR/unbound/unbound.conf"
    dns_world__start_stripping
    dns_world__start_silent
    dns_world__await_all
}

# dns_world_start_interop
#   A world for runs against other implementations: each authority, each algorithm that has a place in DNSSEC
#   today, and in each organisation's zone the records of four other keys, of all sizes.
dns_world_start_interop() {
    dns_world_start one.example:bind:13 two.example:knot:8 three.co.example:nsd:15 four.example:knot:14 \
        five.example:nsd:10
    local organisation
    for organisation in "${DNS_WORLD_ORGANISATIONS[@]}"; do
        dns_world_fill "$organisation" 2 1
        dns_world_fill "$organisation" 1 2
        dns_world_fill "$organisation" 1 3
    done
}

dns_world__read_zones() {
    DNS_WORLD_ORGANISATIONS=()
    DNS_WORLD_SAMPLES=()
    DNS_WORLD_ZONES=()
    DNS_WORLD_SERVER=()
    DNS_WORLD_ALGORITHM=()
    DNS_WORLD_DENIAL=()
    DNS_WORLD_KEYS=()
    DNS_WORLD_NEXT=()
    local argument
    for argument in "$@"; do
        if [[ $argument == samples ]]; then
            dns_world__read_samples || return
        else
            dns_world__read_zone "$argument" || return
            DNS_WORLD_ORGANISATIONS+=("${argument%%:*}")
        fi
    done
    DNS_WORLD_ZONES=("${DNS_WORLD_ORGANISATIONS[@]}" "${DNS_WORLD_SAMPLES[@]}")
}

dns_world__read_samples() {
    local argument previous=${DNS_WORLD_SAMPLE_ZONES[-1]%%:*}
    for argument in "${DNS_WORLD_SAMPLE_ZONES[@]}"; do
        dns_world__read_zone "$argument" || return
        DNS_WORLD_SAMPLES+=("${argument%%:*}")
        DNS_WORLD_NEXT[$previous]=${argument%%:*}
        previous=${argument%%:*}
    done
}

dns_world__read_zone() { # ORGANISATION:SERVER:ALGORITHM[:DENIAL:KEYS]
    local zone server algorithm denial keys
    IFS=: read -r zone server algorithm denial keys <<<"$1"
    denial=${denial:-${DNS_WORLD_USUAL_DENIAL[$server]:-}}
    keys=${keys:-${DNS_WORLD_USUAL_KEYS[$server]:-}}
    if [[ $zone != *.example || -z ${DNS_WORLD_MNEMONIC[$algorithm]:-} || ! $server =~ ^(bind|knot|nsd|pdns)$ ||
        ! $denial =~ ^nsec(3|3-salted|3-opt-out|3-narrow)?$ || ! $keys =~ ^(csk|ksk\+zsk)$ ||
        ($denial == nsec3-narrow && $server != pdns) ]]; then
        echo "dns-world: expected ORGANISATION:SERVER:ALGORITHM[:DENIAL:KEYS] or samples, got $1" >&2
        return 1
    fi
    DNS_WORLD_SERVER[$zone]=$server
    DNS_WORLD_ALGORITHM[$zone]=$algorithm
    DNS_WORLD_DENIAL[$zone]=$denial
    DNS_WORLD_KEYS[$zone]=$keys
}

# dns_world__zones_of SERVER: the zones for which it is the authority.
dns_world__zones_of() {
    local zone
    for zone in "${DNS_WORLD_ZONES[@]}"; do
        [[ ${DNS_WORLD_SERVER[$zone]} != "$1" ]] || echo "$zone"
    done
}

# dns_world__run PROGRAM ARGUMENT...: starts our copy of PROGRAM in the background. Should this script be
# killed without a chance to clean up, the kernel ends the server.
dns_world__run() {
    local program=$1
    shift
    setpriv --pdeathsig TERM "$DNS_WORLD_DIR/bin/$program" "$@" \
        </dev/null >>"$DNS_WORLD_DIR/logs/$program.log" 2>&1 &
    DNS_WORLD_PIDS+=($!)
}

# dns_world__await SECONDS DESCRIPTION COMMAND...: repeats the command until it succeeds.
dns_world__await() {
    local deadline=$((SECONDS + $1)) description=$2
    shift 2
    until "$@"; do
        if ((SECONDS >= deadline)); then
            echo "dns-world: waited in vain: $description" >&2
            tail --lines 15 "$DNS_WORLD_DIR"/logs/*.log >&2
            return 1
        fi
        sleep 0.1
    done
}

# Whether SERVER answers ZONE's SOA with authority (or proven, for the resolver: FLAG `ad`) and an RRSIG.
dns_world__serves_signed() { # SERVER ZONE FLAG
    local answer port=53
    [[ $1 != "$DNS_WORLD_BIND_SERVER" ]] || port=$DNS_WORLD_BIND_PORT
    answer=$(dig "@$1" -p "$port" "$2." SOA +dnssec +tries=1 +time=2 2>/dev/null) || return 1
    grep --quiet "flags:.* $3[ ;]" <<<"$answer" && grep --quiet "RRSIG[[:space:]]SOA" <<<"$answer"
}

# Whether SERVER has a whole chain of NSEC3 records for ZONE. BIND makes it after the signatures, and its record of the
# parameters last.
dns_world__serves_nsec3() { # SERVER ZONE
    local port=53
    [[ $1 != "$DNS_WORLD_BIND_SERVER" ]] || port=$DNS_WORLD_BIND_PORT
    [[ -n $(dig "@$1" -p "$port" "$2." NSEC3PARAM +short +tries=1 +time=2 2>/dev/null) ]]
}

dns_world__await_knot() {
    local zone
    for zone in $(dns_world__zones_of knot); do
        dns_world__await 30 "Knot DNS to sign $zone" \
            dns_world__serves_signed "$DNS_WORLD_KNOT_SERVER" "$zone" aa || return
    done
}

dns_world__await_all() {
    local zone
    dns_world__await 15 "the root server" dns_world__serves_signed "$DNS_WORLD_BIND_SERVER" "" aa || return
    dns_world__await 15 "the TLD's server" dns_world__serves_signed "$DNS_WORLD_BIND_SERVER" example aa || return
    for zone in "${DNS_WORLD_ZONES[@]}"; do
        dns_world__await 30 "the server of $zone" \
            dns_world__serves_signed "$(dns_world__address "$zone")" "$zone" aa || return
        [[ ${DNS_WORLD_DENIAL[$zone]} != nsec3* ]] || dns_world__await 15 "the NSEC3 records of $zone" \
            dns_world__serves_nsec3 "$(dns_world__address "$zone")" "$zone" || return
    done
    for zone in "${DNS_WORLD_ZONES[@]}"; do
        dns_world__await 30 "the resolver to prove $zone" \
            dns_world__serves_signed "$DNS_WORLD_RESOLVER" "$zone" ad || return
    done
}

# The address of the authority for an organisation's zone.
dns_world__address() {
    case ${DNS_WORLD_SERVER[$1]} in
        bind) echo "$DNS_WORLD_BIND_SERVER" ;;
        knot) echo "$DNS_WORLD_KNOT_SERVER" ;;
        nsd) echo "$DNS_WORLD_NSD_SERVER" ;;
        pdns) echo "$DNS_WORLD_PDNS_SERVER" ;;
    esac
}

# ---------------------------------------------------------------------------------------------------------
# Zones and keys

# dns_world__apex ZONE ADDRESS: SOA, NS and the name server's address, the start of every zone file.
dns_world__apex() {
    cat <<ZONE
\$ORIGIN $1.
\$TTL 300
@   SOA ns hostmaster 1 1800 900 604800 60
@   NS  ns
ns  A   $2
ZONE
}

# dns_world__zone_file ZONE: what is in the zone to begin with.
dns_world__zone_file() {
    dns_world__apex "$1" "$(dns_world__address "$1")"
    local next=${DNS_WORLD_NEXT[$1]:-}
    [[ -n $next ]] || return 0
    cat <<ZONE
www             TXT   "www of $1"
www             TXT   "another string of www"
www             A     192.0.2.1
*.wild          TXT   "a wildcard of $1"
leaf.empty      TXT   "below an empty non-terminal of $1"
alias           CNAME www
*.aliases       CNAME www
to-wild         CNAME any.wild
dangling        CNAME missing
to-unsigned     CNAME www.unsigned
away            CNAME www.$next.
moved           DNAME $next.
unsigned        NS    ns.unsigned
unsigned.branch NS    ns.unsigned
ns.unsigned     A     $DNS_WORLD_NSD_SERVER
ZONE
}

# dns_world__keygen ZONE ALGORITHM OPTION...: makes a key by BIND's tool, prints its file's base name.
dns_world__keygen() {
    local zone=$1 algorithm=$2
    shift 2
    local size=()
    [[ $algorithm -gt 10 ]] || size=(-b 2048)
    dnssec-keygen -q -K "$DNS_WORLD_DIR/bind/keys" -a "$algorithm" "${size[@]}" "$@" "$zone."
}

# dns_world__signzone ZONE OPTION...: signs bind/zones/ZONE.zone into bind/zones/ZONE.signed with all its keys.
dns_world__signzone() {
    local zone=$1
    shift
    dnssec-signzone -Q -S -K "$DNS_WORLD_DIR/bind/keys" -d "$DNS_WORLD_DIR/bind/keys" -o "$zone." \
        -f "$DNS_WORLD_DIR/bind/zones/${zone:-root}.signed" "$@" \
        "$DNS_WORLD_DIR/bind/zones/${zone:-root}.zone" >>"$DNS_WORLD_DIR/logs/dnssec-signzone.log" 2>&1
}

# `named` serves the root, the TLD and its organisations from one process.
dns_world__prepare_bind() {
    local bind=$DNS_WORLD_DIR/bind zone
    {
        cat <<CONF
options {
    directory "$bind";
    key-directory "$bind/keys";
    pid-file "$bind/named.pid";
    session-keyfile "$bind/session.key";
    managed-keys-directory "$bind";
    listen-on port $DNS_WORLD_BIND_PORT { $DNS_WORLD_BIND_SERVER; };
    listen-on-v6 { none; };
    recursion no;
    dnssec-validation no;
    notify no;
    minimal-responses yes;
};
controls { };
CONF
        cat <<CONF
zone "." { type primary; file "zones/root.signed"; };
zone "example" { type primary; file "zones/example.signed"; };
zone "$DNS_WORLD_BOGUS" { type primary; file "zones/$DNS_WORLD_BOGUS.signed"; };
zone "$DNS_WORLD_EXPIRED" { type primary; file "zones/$DNS_WORLD_EXPIRED.signed"; };
CONF
        for zone in $(dns_world__zones_of bind); do
            cat <<CONF
dnssec-policy "$zone" { $(dns_world__bind_policy "$zone") };
zone "$zone" {
    type primary; file "zones/$zone.zone"; inline-signing no; update-policy local; dnssec-policy "$zone";
};
CONF
        done
    } >"$bind/named.conf"

    for zone in $(dns_world__zones_of bind); do
        dns_world__zone_file "$zone" >"$bind/zones/$zone.zone"
        dnssec-keygen -q -K "$bind/keys" -l "$bind/named.conf" -k "$zone" "$zone." >/dev/null
    done
    dns_world__prepare_failing_zones
}

# dns_world__bind_policy ZONE: what its `dnssec-policy` says.
dns_world__bind_policy() {
    local role roles=(csk) iterations=0 octets=0 opt_out=no
    [[ ${DNS_WORLD_KEYS[$1]} == csk ]] || roles=(ksk zsk)
    printf 'keys {'
    for role in "${roles[@]}"; do
        printf ' %s lifetime unlimited algorithm %s;' "$role" "${DNS_WORLD_ALGORITHM[$1]}"
    done
    printf ' };'
    case ${DNS_WORLD_DENIAL[$1]} in
        nsec) return ;;
        nsec3-salted) iterations=$DNS_WORLD_ITERATIONS octets=$DNS_WORLD_SALT_OCTETS ;;
        nsec3-opt-out) opt_out=yes ;;
    esac
    printf ' nsec3param iterations %s optout %s salt-length %s;' "$iterations" "$opt_out" "$octets"
}

# The two domains that are signed, but not so that it holds.
dns_world__prepare_failing_zones() {
    local zone
    for zone in "$DNS_WORLD_BOGUS" "$DNS_WORLD_EXPIRED"; do
        {
            dns_world__apex "$zone" "$DNS_WORLD_BIND_SERVER"
            echo "_veraid TXT \"$(dns_world__made_up_record 1)\""
        } >"$DNS_WORLD_DIR/bind/zones/$zone.zone"
        dns_world__keygen "$zone" 13 -f KSK >/dev/null
        dns_world__keygen "$zone" 13 >/dev/null
    done
    dns_world__signzone "$DNS_WORLD_BOGUS" -s now-3600 -e now+604800
    dns_world__signzone "$DNS_WORLD_EXPIRED" -P -s now-864000 -e now-86400
}

dns_world__prepare_nsd() {
    local nsd=$DNS_WORLD_DIR/nsd zone mnemonic base bases
    {
        cat <<CONF
server:
    ip-address: $DNS_WORLD_NSD_SERVER
    do-ip6: no
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "$nsd/zones"
    pidfile: "$nsd/nsd.pid"
    database: ""
    zonelistfile: "$nsd/zone.list"
    xfrdfile: "$nsd/xfrd.state"
    xfrdir: "$nsd"
    cookie-secret-file: "$nsd/cookies"
remote-control:
    control-enable: yes
    control-interface: "$nsd/control"
zone:
    name: "$DNS_WORLD_UNSIGNED"
    zonefile: "$DNS_WORLD_UNSIGNED.zone"
CONF
        for zone in "${DNS_WORLD_SAMPLES[@]}"; do
            printf 'zone:\n    name: "unsigned.%s"\n    zonefile: "unsigned.%s.zone"\n' "$zone" "$zone"
        done
        for zone in $(dns_world__zones_of nsd); do
            printf 'zone:\n    name: "%s"\n    zonefile: "%s.signed"\n' "$zone" "$zone"
        done
    } >"$nsd/nsd.conf"

    {
        dns_world__apex "$DNS_WORLD_UNSIGNED" "$DNS_WORLD_NSD_SERVER"
        echo "_veraid TXT \"$(dns_world__made_up_record 1)\""
    } >"$nsd/zones/$DNS_WORLD_UNSIGNED.zone"
    for zone in "${DNS_WORLD_SAMPLES[@]}"; do
        {
            dns_world__apex "unsigned.$zone" "$DNS_WORLD_NSD_SERVER"
            echo 'www TXT "nobody vouches for this"'
        } >"$nsd/zones/unsigned.$zone.zone"
    done

    for zone in $(dns_world__zones_of nsd); do
        mnemonic=${DNS_WORLD_MNEMONIC[${DNS_WORLD_ALGORITHM[$zone]}]}
        bases=(ksk)
        [[ ${DNS_WORLD_KEYS[$zone]} == csk ]] || bases+=(zsk)
        dns_world__zone_file "$zone" >"$nsd/zones/$zone.zone"
        for base in "${bases[@]}"; do
            (
                cd "$nsd/keys" || exit
                local flag=()
                [[ $base == zsk ]] || flag=(-k)
                ldns-keygen "${flag[@]}" -a "$mnemonic" -b 2048 "$zone" >"$zone.$base"
            )
        done
        dns_world__sign_for_nsd "$zone"
    done
}

# dns_world__sign_for_nsd ZONE: signs the zone as its file stands, for a week.
dns_world__sign_for_nsd() {
    local nsd=$DNS_WORLD_DIR/nsd now denial=()
    case ${DNS_WORLD_DENIAL[$1]} in
        nsec3) denial=(-n -t 0) ;;
        nsec3-salted) denial=(-n -t "$DNS_WORLD_ITERATIONS" -s "$(openssl rand -hex "$DNS_WORLD_SALT_OCTETS")") ;;
        nsec3-opt-out) denial=(-n -t 0 -p) ;;
    esac
    now=$(date +%s)
    sed -i "s/hostmaster [0-9]* /hostmaster $(dns_world__next_serial "$1") /" "$nsd/zones/$1.zone"
    (
        cd "$nsd/keys" || exit
        local keys
        mapfile -t keys < <(cat "$1".[kz]sk)
        # A KSK without a ZSK beside it signs everything.
        ldns-signzone -o "$1." -i "$((now - 3600))" -e "$((now + 604800))" "${denial[@]}" -f "$nsd/zones/$1.signed" \
            "$nsd/zones/$1.zone" "${keys[@]}"
    )
}

dns_world__next_serial() {
    local serial
    serial=$(sed -n 's/.*hostmaster \([0-9]*\) .*/\1/p' "$DNS_WORLD_DIR/nsd/zones/$1.zone")
    echo "$((serial + 1))"
}

dns_world__prepare_knot() {
    local knot=$DNS_WORLD_DIR/knot zone
    {
        cat <<CONF
server:
    listen: $DNS_WORLD_KNOT_SERVER@53
    rundir: $knot
    pidfile: $knot/knot.pid
    background-workers: 1
    udp-workers: 1
    tcp-workers: 1
database:
    storage: $knot
    kasp-db: $knot/kasp
    journal-db: $knot/journal
    timer-db: $knot/timers
control:
    listen: $knot/control
log:
  - target: stderr
    any: info
policy:
CONF
        for zone in $(dns_world__zones_of knot); do dns_world__knot_policy "$zone"; done
        echo "zone:"
        for zone in $(dns_world__zones_of knot); do
            cat <<CONF
  - domain: $zone
    storage: $knot/zones
    file: $zone.zone
    dnssec-signing: on
    dnssec-policy: $zone
CONF
        done
    } >"$knot/knot.conf"
    for zone in $(dns_world__zones_of knot); do dns_world__zone_file "$zone" >"$knot/zones/$zone.zone"; done
}

# dns_world__knot_policy ZONE: an item of the configuration's list of policies.
dns_world__knot_policy() {
    local algorithm=${DNS_WORLD_ALGORITHM[$1]} nsec3=on iterations=0 octets=0 opt_out=off single=off
    [[ ${DNS_WORLD_KEYS[$1]} != csk ]] || single=on
    case ${DNS_WORLD_DENIAL[$1]} in
        nsec) nsec3=off ;;
        nsec3-salted) iterations=$DNS_WORLD_ITERATIONS octets=$DNS_WORLD_SALT_OCTETS ;;
        nsec3-opt-out) opt_out=on ;;
    esac
    cat <<CONF
  - id: $1
    algorithm: ${DNS_WORLD_MNEMONIC[$algorithm],,}
    single-type-signing: $single
    nsec3: $nsec3
    nsec3-iterations: $iterations
    nsec3-salt-length: $octets
    nsec3-opt-out: $opt_out
    cds-cdnskey-publish: none
CONF
    [[ $algorithm -gt 10 ]] || printf '    ksk-size: 2048\n    zsk-size: 2048\n'
}

dns_world__prepare_pdns() {
    local pdns=$DNS_WORLD_DIR/pdns zone
    # Caches of nothing: what was changed is to be seen at once. And no question to the vendor about security.
    cat >"$pdns/pdns.conf" <<CONF
launch=bind
bind-config=$pdns/zones.conf
bind-dnssec-db=$pdns/dnssec.sqlite3
local-address=$DNS_WORLD_PDNS_SERVER
socket-dir=$pdns
daemon=no
guardian=no
disable-syslog=yes
receiver-threads=1
distributor-threads=1
dname-processing=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
security-poll-suffix=
CONF
    for zone in $(dns_world__zones_of pdns); do
        dns_world__zone_file "$zone" >"$pdns/zones/$zone.zone"
        printf 'zone "%s" { type master; file "%s"; };\n' "$zone" "$pdns/zones/$zone.zone"
    done >"$pdns/zones.conf"
    dns_world__pdnsutil create-bind-db "$pdns/dnssec.sqlite3"
    for zone in $(dns_world__zones_of pdns); do dns_world__secure_with_pdns "$zone"; done
}

dns_world__secure_with_pdns() { # ZONE
    local algorithm=${DNS_WORLD_ALGORITHM[$1]} role roles=(ksk) size=() narrow=() parameters="1 0 0 -"
    [[ ${DNS_WORLD_KEYS[$1]} == csk ]] || roles+=(zsk)
    [[ $algorithm -gt 10 ]] || size=(2048)
    # A KSK without a ZSK beside it signs everything.
    for role in "${roles[@]}"; do
        dns_world__pdnsutil add-zone-key "$1" "$role" active "${size[@]}" "${DNS_WORLD_PDNS_MNEMONIC[$algorithm]}"
    done
    case ${DNS_WORLD_DENIAL[$1]} in
        nsec) return ;;
        nsec3-salted) parameters="1 0 $DNS_WORLD_ITERATIONS $(openssl rand -hex "$DNS_WORLD_SALT_OCTETS")" ;;
        nsec3-opt-out) parameters="1 1 0 -" ;;
        nsec3-narrow) narrow=(narrow) ;;
    esac
    dns_world__pdnsutil set-nsec3 "$1" "$parameters" "${narrow[@]}"
}

dns_world__pdnsutil() {
    pdnsutil --config-dir "$DNS_WORLD_DIR/pdns" "$@" >>"$DNS_WORLD_DIR/logs/pdnsutil.log" 2>&1
}

# dns_world__ds ZONE: the DS lines that the TLD publishes for an organisation's zone.
dns_world__ds() {
    local key
    case ${DNS_WORLD_SERVER[$1]} in
        bind)
            for key in "$DNS_WORLD_DIR/bind/keys/K$1.+"*.key; do
                ! grep --quiet 'DNSKEY 257' "$key" || dnssec-dsfromkey -2 "$key"
            done
            ;;
        # Knot prints one for every digest type; 2 is SHA-256.
        knot) keymgr --config "$DNS_WORLD_DIR/knot/knot.conf" "$1." ds | awk '$(NF-1) == 2' ;;
        nsd) ldns-key2ds -n -2 "$DNS_WORLD_DIR/nsd/keys/$(<"$DNS_WORLD_DIR/nsd/keys/$1.ksk").key" ;;
        # One for every digest type as well, and comments.
        pdns)
            pdnsutil --config-dir "$DNS_WORLD_DIR/pdns" export-zone-ds "$1" 2>>"$DNS_WORLD_DIR/logs/pdnsutil.log" |
                sed -n 's/^\(.* DS [0-9]* [0-9]* 2 [^ ]*\).*/\1/p'
            ;;
    esac
}

dns_world__delegation() { # ZONE ADDRESS
    printf '%s. NS ns.%s.\nns.%s. A %s\n' "$1" "$1" "$1" "$2"
}

dns_world__make_tld_and_root() {
    local bind=$DNS_WORLD_DIR/bind zone ksk stranger
    {
        dns_world__apex example "$DNS_WORLD_BIND_SERVER"
        for zone in "${DNS_WORLD_ZONES[@]}"; do
            dns_world__delegation "$zone" "$(dns_world__address "$zone")"
            dns_world__ds "$zone"
        done
        dns_world__delegation "$DNS_WORLD_UNSIGNED" "$DNS_WORLD_NSD_SERVER"
        # Signed by the look of it, so that nothing but the refusal is to be seen; nobody has this key.
        dns_world__delegation "$DNS_WORLD_LAME" "$DNS_WORLD_NSD_SERVER"
        echo "$DNS_WORLD_LAME. DS 12345 13 2 $(openssl rand -hex 32)"
        dns_world__delegation "$DNS_WORLD_BOGUS" "$DNS_WORLD_BIND_SERVER"
        # A stranger's key of the same name: not in the zone's directory of keys, so it signs nothing.
        mkdir -p "$bind/strangers"
        stranger=$(dnssec-keygen -q -K "$bind/strangers" -a 13 -f KSK "$DNS_WORLD_BOGUS.")
        dnssec-dsfromkey -2 "$bind/strangers/$stranger.key"
        dns_world__delegation "$DNS_WORLD_EXPIRED" "$DNS_WORLD_BIND_SERVER"
        for zone in "$bind/keys/K$DNS_WORLD_EXPIRED.+"*.key; do
            if grep --quiet 'DNSKEY 257' "$zone"; then dnssec-dsfromkey -2 "$zone"; fi
        done
    } >"$bind/zones/example.zone"
    ksk=$(dns_world__keygen example 13 -f KSK)
    dns_world__keygen example 13 >/dev/null
    dns_world__signzone example -3 - -s now-3600 -e now+604800

    {
        dns_world__apex "" "$DNS_WORLD_BIND_SERVER"
        dns_world__delegation example "$DNS_WORLD_BIND_SERVER"
        dnssec-dsfromkey -2 "$bind/keys/$ksk.key"
    } >"$bind/zones/root.zone"
    ksk=$(dns_world__keygen "" 8 -f KSK)
    dns_world__keygen "" 8 >/dev/null
    dns_world__signzone "" -s now-3600 -e now+604800

    dnssec-dsfromkey -2 "$bind/keys/$ksk.key" >"$DNS_WORLD_ANCHORS"
    grep -v '^;' "$bind/keys/$ksk.key" >"$DNS_WORLD_ANCHORS_DNSKEY"
    awk '{ printf "trust-anchors { . static-ds %s %s %s \"%s\"; };\n", $4, $5, $6, $7 }' \
        "$DNS_WORLD_ANCHORS" >"$DNS_WORLD_ANCHORS_BIND"
}

# ---------------------------------------------------------------------------------------------------------
# Resolvers

dns_world__make_tls() {
    local tls=$DNS_WORLD_DIR/tls ca
    for ca in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=dns-world $ca" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
            -keyout "$tls/$ca.key" -out "$tls/$ca.pem" 2>>"$DNS_WORLD_DIR/logs/openssl.log"
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=dns-world resolver" \
        -keyout "$tls/resolver.key" -out "$tls/resolver.csr" 2>>"$DNS_WORLD_DIR/logs/openssl.log"
    openssl x509 -req -in "$tls/resolver.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -days 2 \
        -extfile <(printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=IP:%s\n' \
            "$DNS_WORLD_RESOLVER") -out "$tls/resolver.pem" 2>>"$DNS_WORLD_DIR/logs/openssl.log"
}

dns_world__prepare_unbound() {
    local unbound=$DNS_WORLD_DIR/unbound zone
    {
        cat <<CONF
server:
    directory: "$unbound"
    pidfile: "$unbound/unbound.pid"
    chroot: ""
    username: ""
    use-syslog: no
    logfile: ""
    val-log-level: 2
    num-threads: 1
    interface: $DNS_WORLD_RESOLVER@53
    interface: $DNS_WORLD_RESOLVER@$DNS_WORLD_RESOLVER_PORT
    interface: $DNS_WORLD_RESOLVER@853
    interface: $DNS_WORLD_RESOLVER@443
    tls-port: 853
    https-port: 443
    tls-service-key: "$DNS_WORLD_DIR/tls/resolver.key"
    tls-service-pem: "$DNS_WORLD_DIR/tls/resolver.pem"
    access-control: 127.0.0.0/8 allow
    do-ip6: no
    do-not-query-localhost: no
    module-config: "validator iterator"
    trust-anchor-file: "$DNS_WORLD_ANCHORS"
    # What travels without fragments on the real internet: larger answers are truncated (DNS flag day 2020).
    max-udp-size: 1232
    edns-buffer-size: 1232
    extended-statistics: yes
remote-control:
    control-enable: yes
    control-interface: "$unbound/control"
CONF
        for zone in "" example "$DNS_WORLD_BOGUS" "$DNS_WORLD_EXPIRED" "${DNS_WORLD_ZONES[@]}"; do
            [[ ${DNS_WORLD_SERVER[${zone:-root}]:-bind} == bind ]] || continue
            printf 'stub-zone:\n    name: "%s."\n    stub-addr: %s@%s\n' \
                "$zone" "$DNS_WORLD_BIND_SERVER" "$DNS_WORLD_BIND_PORT"
        done
    } >"$unbound/unbound.conf"
}

# A resolver that forgets RRSIGs as real ones do: it speaks DNS without EDNS to the one behind it, hence asks
# without the DO bit and gets none (RFC 4035 §3.2.1).
dns_world__start_stripping() {
    cat >"$DNS_WORLD_DIR/stripping/named.conf" <<CONF
options {
    directory "$DNS_WORLD_DIR/stripping";
    pid-file "$DNS_WORLD_DIR/stripping/named.pid";
    session-keyfile "$DNS_WORLD_DIR/stripping/session.key";
    managed-keys-directory "$DNS_WORLD_DIR/stripping";
    listen-on port $DNS_WORLD_STRIPPING_PORT { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion yes;
    allow-recursion { 127.0.0.0/8; };
    forward only;
    forwarders { $DNS_WORLD_RESOLVER; };
    dnssec-validation no;
    empty-zones-enable no;
    max-cache-ttl 1;
    max-ncache-ttl 1;
};
server $DNS_WORLD_RESOLVER { edns no; };
controls { };
CONF
    dns_world__run named -f -c "$DNS_WORLD_DIR/stripping/named.conf" -g
}

dns_world__start_silent() {
    local port
    dns_world__run socat -u "UDP4-RECV:53,bind=$DNS_WORLD_SILENT" OPEN:/dev/null
    for port in 53 853 443; do
        dns_world__run socat -u "TCP4-LISTEN:$port,bind=$DNS_WORLD_SILENT,reuseaddr,fork" OPEN:/dev/null
    done
}

# ---------------------------------------------------------------------------------------------------------
# Publishing

# dns_world_publish LINE...
#   Adds TXT records, each a zone-file line as `kliento organisation record` prints it (`OWNER [TTL] [IN] TXT
#   "…"`), to the zone that its owner is in, has it signed and waits until the resolver knows. All TXT records
#   get one TTL, 300 s.
dns_world_publish() {
    dns_world__change add "$@"
}

# dns_world_withdraw LINE...
#   Removes TXT records, given as for dns_world_publish.
dns_world_withdraw() {
    dns_world__change delete "$@"
}

# dns_world_add_txt DOMAIN RDATA...
#   Publishes the strings RDATA (without quotes) as TXT records of _veraid.DOMAIN.
dns_world_add_txt() {
    local domain=$1 rdata lines=()
    shift
    for rdata in "$@"; do lines+=("_veraid.$domain. TXT \"$rdata\""); done
    dns_world_publish "${lines[@]}"
}

# dns_world_fill DOMAIN COUNT [ALGORITHM]
#   Publishes COUNT well-formed records of keys that nobody has, as an organisation does that has many keys or
#   changes them. ALGORITHM is VeraId's number: 1 (default), 2 or 3. Twelve beside one's own make an answer that
#   is truncated over UDP, whatever the zone's algorithm.
dns_world_fill() {
    local domain=$1 count=$2 records=()
    while ((${#records[@]} < count)); do records+=("$(dns_world__made_up_record "${3:-1}")"); done
    dns_world_add_txt "$domain" "${records[@]}"
}

# The key id of a made-up key is random, of the length that the algorithm has.
dns_world__made_up_record() {
    local octets=(0 32 48 64)
    echo "$1 $(openssl rand -base64 "${octets[$1]}" | tr -d '\n') 3600 1.3.6.1.4.1.58708.3.0"
}

# dns_world__zone NAME: the organisation's zone that holds NAME.
dns_world__zone() {
    local zone name=${1%.} found=
    for zone in "${DNS_WORLD_ZONES[@]}"; do
        if [[ $name == *".$zone" && ${#zone} -gt ${#found} ]]; then found=$zone; fi
    done
    if [[ -z $found ]]; then
        echo "dns-world: no organisation's zone holds $1" >&2
        return 1
    fi
    echo "$found"
}

# dns_world__change add|delete LINE...
dns_world__change() {
    local action=$1 line zone rdata
    local -A by_zone=()
    shift
    for line in "$@"; do
        if [[ $line != *[[:space:]]TXT[[:space:]]*\"*\"* ]]; then
            echo "dns-world: no TXT record: $line" >&2
            return 1
        fi
        zone=$(dns_world__zone "${line%%[[:space:]]*}") || return
        rdata=\"${line#*\"}
        by_zone[$zone]+="${line%%[[:space:]]*}	$rdata"$'\n'
    done
    for zone in "${!by_zone[@]}"; do
        "dns_world__change_${DNS_WORLD_SERVER[$zone]}" "$action" "$zone" "${by_zone[$zone]%$'\n'}" || return
        unbound-control -q -c "$DNS_WORLD_DIR/unbound/unbound.conf" flush_zone "$zone" || return
        dns_world__await 20 "the resolver to see the change of $zone" \
            dns_world__visible "$action" "${by_zone[$zone]%$'\n'}" || return
    done
}

# dns_world__visible add|delete RECORDS: whether the resolver proves a set with (or without) the records.
dns_world__visible() {
    local owner rdata answer
    while IFS=$'\t' read -r owner rdata; do
        answer=$(dig "@$DNS_WORLD_RESOLVER" "$owner" TXT +tcp +dnssec +noall +answer +comments +tries=1 2>/dev/null) || return 1
        grep --quiet 'flags:.* ad[ ;]' <<<"$answer" || return 1
        if grep --quiet --fixed-strings -- "$rdata" <<<"$answer"; then
            [[ $1 == add ]] || return 1
        else
            [[ $1 == delete ]] || return 1
        fi
    done <<<"$2"
}

dns_world__change_bind() { # ACTION ZONE RECORDS
    local owner rdata
    {
        printf 'server %s %s\nzone %s.\n' "$DNS_WORLD_BIND_SERVER" "$DNS_WORLD_BIND_PORT" "$2"
        while IFS=$'\t' read -r owner rdata; do
            printf 'update %s %s %s TXT %s\n' "$1" "$owner" "$([[ $1 == delete ]] || echo 300)" "$rdata"
        done <<<"$3"
        echo send
    } | nsupdate -k "$DNS_WORLD_DIR/bind/session.key"
}

dns_world__change_knot() { # ACTION ZONE RECORDS
    local owner rdata verb=zone-set ttl=(300)
    if [[ $1 == delete ]]; then
        verb="zone-unset"
        ttl=()
    fi
    dns_world__knotc zone-begin "$2." || return
    while IFS=$'\t' read -r owner rdata; do
        dns_world__knotc "$verb" "$2." "$owner" "${ttl[@]}" TXT "$rdata" || return
    done <<<"$3"
    dns_world__knotc zone-commit "$2."
}

dns_world__knotc() {
    knotc --blocking --socket "$DNS_WORLD_DIR/knot/control" "$@" >>"$DNS_WORLD_DIR/logs/knotc.log" 2>&1
}

dns_world__change_nsd() { # ACTION ZONE RECORDS
    dns_world__edit "$1" "$DNS_WORLD_DIR/nsd/zones/$2.zone" "$3"
    dns_world__sign_for_nsd "$2" &&
        nsd-control -c "$DNS_WORLD_DIR/nsd/nsd.conf" reload "$2" >>"$DNS_WORLD_DIR/logs/nsd-control.log"
}

dns_world__change_pdns() { # ACTION ZONE RECORDS
    dns_world__edit "$1" "$DNS_WORLD_DIR/pdns/zones/$2.zone" "$3"
    pdns_control --config-dir="$DNS_WORLD_DIR/pdns" bind-reload-now "$2" >>"$DNS_WORLD_DIR/logs/pdns_control.log" 2>&1
}

dns_world__edit() { # ACTION ZONE-FILE RECORDS
    local owner rdata
    while IFS=$'\t' read -r owner rdata; do
        if [[ $1 == add ]]; then
            printf '%s TXT %s\n' "$owner" "$rdata" >>"$2"
        else
            grep --invert-match --fixed-strings -- "$owner TXT $rdata" "$2" >"$2.new"
            mv "$2.new" "$2"
        fi
    done <<<"$3"
}

# ---------------------------------------------------------------------------------------------------------
# Looking

# dns_world_check_secure NAME TYPE
#   Succeeds if two validators that are not ours prove the RRset from the anchor: BIND's delv and Unbound (by
#   the AD bit). Prints what each says.
dns_world_check_secure() {
    local delv unbound
    delv=$(delv "@$DNS_WORLD_RESOLVER" -a "$DNS_WORLD_ANCHORS_BIND" +root=. "$1." "$2" 2>&1 | grep '^;' | head -n 1) || true
    unbound=$(dig "@$DNS_WORLD_RESOLVER" "$1." "$2" +dnssec +tcp +noall +comments 2>&1 | sed -n 's/^;; \(flags:[^;]*\);.*/\1/p') || true
    echo "$1 $2: delv says \"${delv#; }\", Unbound \"$unbound\""
    [[ $delv == "; fully validated" && " $unbound " == *" ad "* ]]
}

# dns_world_verdicts NAME TYPE
#   Prints what two validators that are not ours, BIND's delv and Unbound, make of the question, one word each:
#   proven, nodata, nxdomain, insecure or bogus.
dns_world_verdicts() {
    echo "$(dns_world__delv_verdict "$1" "$2") $(dns_world__unbound_verdict "$1" "$2")"
}

dns_world__delv_verdict() { # NAME TYPE
    local said
    said=$(delv "@$DNS_WORLD_RESOLVER" -a "$DNS_WORLD_ANCHORS_BIND" +root=. "$1." "$2" 2>&1) || true
    # It speaks of each RRset of an alias's chain by itself. What doesn't exist is a failure to it, proven or not.
    case $said in
        *"; unsigned answer"* | *"; negative response, unsigned answer"*) echo insecure ;;
        *";; resolution failed: ncache nxdomain"*"fully validated"*) echo nxdomain ;;
        *";; resolution failed: ncache nxrrset"*"fully validated"*) echo nodata ;;
        *";; resolution failed:"*) echo bogus ;;
        *"; fully validated"*) echo proven ;;
        *) echo bogus ;;
    esac
}

dns_world__unbound_verdict() { # NAME TYPE
    local said
    said=$(dig "@$DNS_WORLD_RESOLVER" "$1." "$2" +dnssec +tcp +noall +comments +answer 2>&1) || true
    if [[ $said == *"status: SERVFAIL"* || $said != *"flags: "* ]]; then
        echo bogus
    elif ! grep --quiet '^;; flags:.* ad[ ;]' <<<"$said"; then
        echo insecure
    elif [[ $said == *"status: NXDOMAIN"* ]]; then
        echo nxdomain
    elif awk -v type="$2" '$4 == type { found = 1 } END { exit !found }' <<<"$said"; then
        echo proven
    else
        echo nodata
    fi
}

# dns_world_describe NAME TYPE
#   Prints how large the resolver's answer is, whether it is truncated over UDP, and what signed it.
dns_world_describe() {
    local udp tcp
    udp=$(dig "@$DNS_WORLD_RESOLVER" "$1." "$2" +dnssec +cd +ignore +bufsize=1232 2>&1) || true
    tcp=$(dig "@$DNS_WORLD_RESOLVER" "$1." "$2" +dnssec +cd +tcp +noauthority 2>&1) || true
    printf '%s %s: %s octets over TCP, %s over UDP%s; signed by' "$1" "$2" \
        "$(sed -n 's/.*MSG SIZE  rcvd: //p' <<<"$tcp")" "$(sed -n 's/.*MSG SIZE  rcvd: //p' <<<"$udp")" \
        "$(if grep --quiet 'flags:.* tc[ ;]' <<<"$udp"; then echo ' (truncated)'; fi)"
    awk '$4 == "RRSIG" { printf " %s/%s/algorithm %s", $12, $11, $6 } END { print "" }' <<<"$tcp"
}

# dns_world_queries udp|tcp|tls|https
#   Prints how many queries the resolver has had over a transport, each counted once.
dns_world_queries() {
    unbound-control -c "$DNS_WORLD_DIR/unbound/unbound.conf" stats_noreset | awk -F= -v transport="$1" '
        $1 == "total.num.queries" { all = $2 }
        # Unbound counts a query over TLS as one over TCP too, and one over HTTPS as both.
        $1 == "num.query.tcp" { tcp = $2 }
        $1 == "num.query.tls" { tls = $2 }
        $1 == "num.query.https" { https = $2 }
        END {
            count["udp"] = all - tcp; count["tcp"] = tcp - tls; count["tls"] = tls - https; count["https"] = https
            print count[transport]
        }'
}

# ---------------------------------------------------------------------------------------------------------
# Stopping

# dns_world_stop
#   Ends every server, removes the directory, and fails if a process of this world is left. Does nothing when
#   there is no world. Meant for `trap … EXIT`.
dns_world_stop() {
    [[ -n $DNS_WORLD_DIR ]] || return 0
    local pid failed=0 deadline=$((SECONDS + 5))
    for pid in "${DNS_WORLD_PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
    while dns_world__runs "$DNS_WORLD_DIR/bin/" && ((SECONDS < deadline)); do sleep 0.1; done
    # What the resolver still waits for must not keep it.
    for pid in "${DNS_WORLD_PIDS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    for pid in "${DNS_WORLD_PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
    if dns_world__runs "$DNS_WORLD_DIR/bin/"; then
        echo "dns-world: a server outlived its world in $DNS_WORLD_DIR" >&2
        failed=1
    fi
    rm -rf "$DNS_WORLD_DIR"
    DNS_WORLD_DIR=
    DNS_WORLD_PIDS=()
    return "$failed"
}
