# shellcheck shell=bash
# What script/demo and script/test need of the machine: programs by its package manager, private
# stores in a directory of their own, and an orderly end by pid. Sourced, not run.

# Says something about the work itself, apart from its output.
say() {
    printf '\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need PROGRAM PACKAGE: notes a package whose program is not there.
packages_missing=()
need() {
    if ! PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null; then
        packages_missing+=("$2")
    fi
}

# Installs what `need` noted, or says what to install.
install_missing() {
    command -v cargo >/dev/null ||
        die "cargo is not installed: get it from https://rustup.rs (Rust 1.95 or newer)"
    [ ${#packages_missing[@]} -eq 0 ] && return
    local packages
    packages=$(printf '%s\n' "${packages_missing[@]}" | sort -u | tr '\n' ' ')
    command -v apt-get >/dev/null || die "install what is missing and run this again: $packages"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "as root, run: apt-get install $packages"
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

# Some of the crates compile C.
need_compiler() {
    need cc gcc
    need ld binutils
}

# Jobs by pid, each the leader of its own process group, stopped last first.
jobs_started=()

# start NAME COMMAND...: in the background, its output in $directory/NAME.log.
start() {
    local name=$1
    shift
    set -m
    "$@" >"$directory/$name.log" 2>&1 </dev/null &
    jobs_started+=($!)
    set +m
}

# is_running PID: a zombie is not.
is_running() {
    kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"
}

# stop PID: SIGTERM to its group, and SIGKILL when it does not obey within five seconds.
stop() {
    kill -TERM -- "-$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        is_running "$1" || break
        sleep 0.05
    done
    kill -KILL -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

stop_everything() {
    local at
    for ((at = ${#jobs_started[@]} - 1; at >= 0; at--)); do
        stop "${jobs_started[at]}"
    done
    jobs_started=()
    [ -n "${directory:-}" ] && rm -rf -- "$directory"
}

# wait_until WHAT SECONDS COMMAND...: until it succeeds.
wait_until() {
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || die "waited in vain for $what"
        sleep 0.05
    done
}

# A private Redis at $redis_socket that writes down everything and drops nothing.
start_redis() {
    redis_socket=$directory/r.sock
    mkdir "$directory/redis"
    start redis redis-server --port 0 --unixsocket "$redis_socket" --unixsocketperm 700 \
        --dir "$directory/redis" --save '' --appendonly yes --maxmemory-policy noeviction --daemonize no
    wait_until "Redis (see $directory/redis.log)" 20 redis-cli -s "$redis_socket" ping
}

# A private MariaDB at $mysql_socket with an empty database `plenary`.
start_mariadb() {
    mysql_socket=$directory/m.sock
    # A directory for temporary tables of its own: a daemon that starts clears those it finds.
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

# sql DATABASE ARGUMENTS...: the mariadb client, its times in UTC.
sql() {
    mariadb --no-defaults --user=root --socket="$mysql_socket" --batch --skip-column-names \
        --default-character-set=utf8mb4 --init-command="SET time_zone='+00:00'" "$@"
}
