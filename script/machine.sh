# shellcheck shell=bash
# Shared by the scripts: installs missing packages, starts private stores in a temporary directory and
# stops them by pid. Sourced, not run.

# say TEXT...: prints a heading, bold on a terminal.
say() {
    printf '\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need PROGRAM PACKAGE: notes PACKAGE for install_missing if PROGRAM is not installed.
packages_missing=()
need() {
    if ! PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null; then
        packages_missing+=("$2")
    fi
}

# Installs the packages noted by `need`, or prints what to install.
install_missing() {
    command -v cargo >/dev/null ||
        die "cargo is not installed: get it from https://rustup.rs (Rust 1.95 or newer)"
    [ ${#packages_missing[@]} -eq 0 ] && return
    local packages
    packages=$(printf '%s\n' "${packages_missing[@]}" | sort -u | tr '\n' ' ')
    command -v apt-get >/dev/null || die "install these packages and try again: $packages"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "run as root: apt-get install $packages"
        root=(sudo)
    fi
    say "installing $packages"
    # shellcheck disable=SC2086 # a list of words
    "${root[@]}" apt-get update -qq &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages >/dev/null ||
        die "apt-get could not install: $packages"
}

need_stores() {
    need redis-server redis-server
    need redis-cli redis-tools
    need mariadbd mariadb-server
    need mariadb mariadb-client
}

# Some crates compile C code.
need_compiler() {
    need cc gcc
    need ld binutils
}

# A test generates a client in Python from the OpenAPI document.
need_python() {
    need python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || packages_missing+=(python3-venv)
}

# Pids of background jobs. Each leads its own process group; the last started is stopped first.
jobs_started=()

# start NAME COMMAND...: runs COMMAND in the background with its output in $directory/NAME.log.
start() {
    local name=$1
    shift
    set -m
    "$@" >"$directory/$name.log" 2>&1 </dev/null &
    jobs_started+=($!)
    set +m
}

# is_running PID: whether the process runs; a zombie does not.
is_running() {
    kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"
}

# stop PID: sends SIGTERM to the process group, and SIGKILL after five seconds.
stop() {
    kill -TERM -- "-$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        is_running "$1" || break
        sleep 0.05
    done
    kill -KILL -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

stop_all_jobs() {
    local at
    for ((at = ${#jobs_started[@]} - 1; at >= 0; at--)); do
        stop "${jobs_started[at]}"
    done
    jobs_started=()
    [ -n "${directory:-}" ] && rm -rf -- "$directory"
}

# wait_until WHAT SECONDS COMMAND...: repeats COMMAND until it succeeds; fails after SECONDS.
wait_until() {
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || die "timed out waiting for $what"
        sleep 0.05
    done
}

# Starts a private Redis at $redis_socket with an append-only file and no eviction.
start_redis() {
    redis_socket=$directory/r.sock
    mkdir "$directory/redis"
    start redis redis-server --port 0 --unixsocket "$redis_socket" --unixsocketperm 700 \
        --dir "$directory/redis" --save '' --appendonly yes --maxmemory-policy noeviction --daemonize no
    wait_until "Redis (see $directory/redis.log)" 20 redis-cli -s "$redis_socket" ping
}

# Starts a private MariaDB at $mysql_socket with an empty database `plenary`.
start_mariadb() {
    mysql_socket=$directory/m.sock
    # MariaDB clears the directory of temporary tables when it starts, so it gets its own.
    mkdir "$directory/mariadb.tmp"
    local user=()
    [ "$(id -u)" -eq 0 ] && user=(--user=root)
    mariadb-install-db --no-defaults "${user[@]}" --auth-root-authentication-method=normal \
        --skip-test-db --innodb-log-file-size=8M --datadir="$directory/mariadb" \
        --tmpdir="$directory/mariadb.tmp" \
        >"$directory/install.log" 2>&1 || die "$(cat "$directory/install.log")"
    PATH="$PATH:/usr/sbin:/usr/local/sbin" start mariadb \
        mariadbd --no-defaults "${user[@]}" --datadir="$directory/mariadb" --socket="$mysql_socket" \
        --pid-file="$directory/m.pid" --skip-networking --skip-name-resolve \
        --tmpdir="$directory/mariadb.tmp" --innodb-log-file-size=8M --innodb-buffer-pool-size=64M
    wait_until "MariaDB (see $directory/mariadb.log)" 20 sql '' -e 'SELECT 1'
    sql '' -e 'CREATE DATABASE plenary'
}

# sql DATABASE ARGUMENTS...: runs the mariadb client with times in UTC.
sql() {
    mariadb --no-defaults --user=root --socket="$mysql_socket" --batch --skip-column-names \
        --default-character-set=utf8mb4 --init-command="SET time_zone='+00:00'" "$@"
}
