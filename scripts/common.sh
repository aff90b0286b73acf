# What the scripts share. Sourced, never run. Expects `set -euo pipefail` and the root of the project as working folder.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

# step TEXT: a headline, with the seconds since the script began.
step() { printf '\n%s%s%s %s(%d s)%s\n' "$bold" "$*" "$plain" "$dim" "$SECONDS" "$plain"; }

note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }

fail() {
  printf '%sfailed:%s %s\n' "$red" "$plain" "$*" >&2
  exit 1
}

# need TOOL HOW: ends with one sentence when a tool is missing.
need() { command -v "$1" >/dev/null || fail "$1 is missing: $2"; }

need_rust() {
  need cargo 'install Rust (https://rustup.rs), or put ~/.cargo/bin on PATH'
  need cc 'install a C compiler, for example `apt-get install gcc`'
  # rust-toolchain.toml names a version that rustup downloads. Without a network, the default toolchain does if it is new enough.
  if ! rustc --version >/dev/null 2>&1 && command -v rustup >/dev/null; then
    local wanted default
    wanted=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    default=$(cd / && rustc --version 2>/dev/null | cut -d ' ' -f 2) || default=''
    if [[ -z $default || $(printf '%s\n' "$wanted" "$default" | sort -V | head -n 1) != "$wanted" ]]; then
      fail "Rust $wanted is not installed: run rustup toolchain install $wanted"
    fi
    RUSTUP_TOOLCHAIN=$(cd / && rustup default | cut -d ' ' -f 1)
    export RUSTUP_TOOLCHAIN
    note "Rust $wanted of rust-toolchain.toml is not installed; using $RUSTUP_TOOLCHAIN, which is $default"
  fi
}

need_go() { need go 'install Go 1.26 or newer (https://go.dev/dl)'; }

# The tests start a server of their own, as an unprivileged user if need be; Debian keeps its programs off PATH.
need_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ||
    fail 'PostgreSQL (15 or newer) is missing: install it, for example `apt-get install postgresql`'
}

# The pages are shown in two font families; the configuration of fontconfig in tests/journey/fonts looks into these folders.
has_font() { [[ -n $(find -L /usr/share/fonts /usr/local/share/fonts -name "$1" -print -quit 2>/dev/null) ]]; }

need_fonts() {
  has_font DejaVuSans.ttf || fail 'the font DejaVu Sans is missing: install it, for example `apt-get install fonts-dejavu-core`'
  has_font NotoSans-Regular.ttf || fail 'the font Noto Sans is missing: install it, for example `apt-get install fonts-noto-core`'
}

# What the consumers of other projects need beside Rust and Go, one line for each thing that is missing: its name, and the
# Debian packages that bring it. .ci/run installs them; on other machines their owner does.
missing_for_consumers() {
  local tool
  missing() { printf '%s: %s\n' "$1" "$2"; }
  for tool in 'node nodejs' 'npm npm' 'git git' 'chromium chromium' 'openssl openssl' 'python3 python3' \
    'java default-jdk-headless' 'javac default-jdk-headless' 'keytool default-jdk-headless' 'mvn maven'; do
    command -v "${tool% *}" >/dev/null || missing "${tool% *}" "${tool#* }"
  done
  python3 -c 'import ensurepip' 2>/dev/null || missing 'the module ensurepip of Python' python3-venv
  # Debian keeps it off PATH.
  [[ -x /usr/sbin/apache2 ]] || missing /usr/sbin/apache2 apache2-bin
  [[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ]] || missing mod_auth_openidc libapache2-mod-auth-openidc
}

# need_consumers: ends with what to install, and how to test without it.
need_consumers() {
  local found packages
  found=$(missing_for_consumers)
  if [[ -n $found ]]; then
    packages=$(sed 's/.*: //' <<<"$found" | tr ' ' '\n' | sort -u | tr '\n' ' ')
    fail "the consumers need what is not on this machine:
$found
Install it, for example \`apt-get install --no-install-recommends ${packages% }\`. \`scripts/test --without consumers\` runs everything else."
  fi
  node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || fail "Node.js $(node --version) is too old: put version 20 or newer on PATH"
}

# Programs of the tests that outlast a clean-up of the tree.
cache="${CLIENTELE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/clientele}"

control_plane() { go -C cluster run . "$@"; }

# npm_ci FOLDER: the packages of its lockfile, unless they are there.
npm_ci() {
  if [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]]; then
    note "the packages of $1 are installed already"
  else
    npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
  fi
}

# The last release of tests/releases/ that was tagged; empty before the first.
previous_release() { find tests/releases -mindepth 2 -name commit -printf '%h\n' | sed 's|.*/||' | sort -V | tail -n 1; }

# name_previous: which release that is, from which commit, and where its charts and what is built of it are kept.
name_previous() {
  CLIENTELE_PREVIOUS_VERSION=$(previous_release)
  previous_commit=$(<"tests/releases/$CLIENTELE_PREVIOUS_VERSION/commit")
  export CLIENTELE_PREVIOUS_VERSION CLIENTELE_PREVIOUS="$cache/releases/$previous_commit"
}

# lacks_previous: says so if this clone has no commit of that name.
lacks_previous() {
  ! git cat-file -e "$previous_commit^{commit}" 2>/dev/null || return 1
  printf 'this clone lacks %s, from which Clientele %s was made: run git fetch --unshallow --tags' "$previous_commit" "$CLIENTELE_PREVIOUS_VERSION"
}
