# shellcheck shell=bash
#
# Installs the reference implementation, npm's `@relaycorp/veraid`, for scripts to source.

# reference_install_node: the reference needs Node.js 20.
reference_install_node() {
    if ! { command -v node && command -v npm; } >/dev/null; then
        echo "installing Node.js"
        apt-get --quiet --option DPkg::Lock::Timeout=300 update >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends \
            --option DPkg::Lock::Timeout=300 install nodejs npm >/dev/null
    fi
    if [[ $(node --print 'process.versions.node.split(".")[0]') -lt 20 ]]; then
        echo "Node.js 20 or later is needed, and $(command -v node) is $(node --version)" >&2
        return 1
    fi
}

# reference_install DIRECTORY
#   Puts the library into DIRECTORY, at the versions of the lock file, and the scripts that use it into
#   DIRECTORY/interop/reference. They share trust-chain.mjs and the lock file with fixtures/reference. A copy, so that the
#   checkout gets no node_modules.
reference_install() {
    mkdir --parents "$1/fixtures/reference" "$1/interop"
    cp fixtures/reference/{*.mjs,package.json,package-lock.json,.npmrc} "$1/fixtures/reference/"
    cp --recursive interop/lib interop/reference "$1/interop/"
    (cd "$1/fixtures/reference" && npm ci --loglevel error --no-progress)
    # Modules are looked for in the directories above the one that imports them.
    mv "$1/fixtures/reference/node_modules" "$1/"
    node --print "'@relaycorp/veraid ' + require('$1/node_modules/@relaycorp/veraid/package.json').version"
}
