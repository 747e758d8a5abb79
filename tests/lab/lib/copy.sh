# shellcheck shell=bash
# Commands in hosts, and files into and out of them. Sourced by lab.

# Whatever the lab itself cannot do gives 125, so that the command's own status can be told apart.
cmd_exec() {
    local host=$1
    shift
    FAILED=125
    need_host "$host"
    need_init "$host"
    exec "$PYTHON" -IS "$HERE/lib/enter" "$LABGROUP/$host" "$INIT_PID" "$@"
}

# Copying is done inside the host, with the machine's end held open as descriptor 3: paths of
# the host, symbolic links among them, then mean what they mean there.
copying() {
    nsenter -t "$INIT_PID" --mount --pid --wdns=/ -- \
        env -i "PATH=$PATH" LC_ALL=C.UTF-8 bash -euc "$(declare -f place replace_contents); $1" copy "${@:2}"
}

# place NEW DST - NEW, a complete copy in the directory of DST, takes its place at once. Nobody
# sees half of it, and a program that is running keeps its old file.
place() {
    if [[ -d $1 && -d $2 && ! -L $2 ]]; then
        local old
        old=$(mktemp -d "$(dirname "$2")/.lab-old.XXXXXX")
        mv -T "$2" "$old/old" # a directory can only be renamed over an empty one
        mv -T "$1" "$2"
        rm -rf "$old"
    else
        mv -fT "$1" "$2"
    fi
}

# replace_contents NEW DST - the same for a mount point, which cannot be renamed.
replace_contents() {
    local changed tmp
    tmp=$(dirname "$1")
    changed=$(stat -c %y "$1")
    find "$2" -mindepth 1 -maxdepth 1 ! -name lost+found ! -path "$tmp" -exec rm -rf {} +
    find "$1" -mindepth 1 -maxdepth 1 -exec mv -t "$2" {} +
    chown --reference="$1" "$2"
    chmod --reference="$1" "$2"
    rmdir "$1" "$tmp"
    touch -d "$changed" "$2"
}

# A file goes to DST, or into DST if that is a directory; a directory becomes DST.
# What was put is on the disk: a crash afterwards does not lose it.
cmd_put() {
    local source=$2 name
    name=$(basename -- "$source")
    need_init "$1"
    [[ -f $source || -d $source ]] || die "no such file or directory: $source"
    # shellcheck disable=SC2016  # expanded in the host
    { copying '
        dst=$1 kind=$2 name=$3
        if [[ $kind == file && ( -d $dst || $dst == */ ) ]]; then dst=${dst%/}/$name; fi
        in=$(dirname -- "$dst")
        if [[ $kind == directory ]] && mountpoint -q "$dst"; then in=$dst; fi
        mkdir -p "$in"
        tmp=$(mktemp -d "$in/.lab-put.XXXXXX")
        trap "rm -rf \"$tmp\"" EXIT
        if [[ $kind == directory ]]; then
            mkdir "$tmp/new"
            cp -a /proc/self/fd/3/. "$tmp/new"
        else
            cp --preserve=all --dereference /proc/self/fd/3 "$tmp/new"
        fi
        sync -f "$tmp"
        if [[ $in == "$dst" ]]; then replace_contents "$tmp/new" "$dst"; else place "$tmp/new" "$dst"; fi
        sync -f "$in"' "$3" "$([[ -d $source ]] && echo directory || echo file)" "$name"; } 3< "$source" ||
        die "cannot put $source to $1:$3"
}

cmd_get() {
    local destination=$3 in tmp kind=file
    need_init "$1"
    # shellcheck disable=SC2016  # expanded in the host
    kind=$(copying '[[ -e $1 ]] || exit 1; if [[ -d $1 ]]; then echo directory; else echo file; fi' "$2") ||
        die "no such file on $1: $2"
    if [[ $kind == file && ( -d $destination || $destination == */ ) ]]; then
        destination=${destination%/}/$(basename -- "$2")
    fi
    in=$(dirname -- "$destination")
    mkdir -p "$in"
    tmp=$(mktemp -d "$in/.lab-get.XXXXXX")
    # shellcheck disable=SC2064  # expanded now
    trap "rm -rf '$tmp'" EXIT
    # shellcheck disable=SC2016  # expanded in the host
    copying '
        if [[ -d $1 ]]; then
            mkdir /proc/self/fd/3/new
            cp -a "$1/." /proc/self/fd/3/new
        else
            cp --preserve=all --dereference "$1" /proc/self/fd/3/new
        fi' "$2" 3< "$tmp" || die "cannot get $2 of $1"
    place "$tmp/new" "$destination"
}
