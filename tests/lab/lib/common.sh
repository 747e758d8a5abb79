# shellcheck shell=bash
# Settings, names and states that all parts of the lab share. Sourced by lab.
#
# Everything a lab makes carries its name, so that "down" finds all of it even
# when "up" was interrupted:
#   $STATE                          files: settings, keys, disks, logs
#   netns  hamn-lab.NAME            the switch
#   cgroup hamn-lab.NAME/HOST/host  a host; frozen and killed through HOST
#   cgroup hamn-lab.NAME/.switch    the BMC
#   cgroup hamn-lab.NAME/.lab       "lab up" and "lab start" while they run

# shellcheck disable=SC2034  # read by the other parts
read_settings() {
    local pattern='^[a-z0-9][a-z0-9-]{0,30}$'
    NAME=${LAB_NAME:-lab}
    BASE=${LAB_DIR:-/var/tmp/hamn-lab}
    LIMIT=${LAB_TIMEOUT:-90} # no wait of the lab itself takes longer [s]
    [[ $NAME =~ $pattern ]] || die_usage "LAB_NAME '$NAME' must be lower-case letters, digits and -"
    # the path becomes an overlay option, where : and , have a meaning
    pattern='^/[A-Za-z0-9/._-]+$'
    [[ $BASE =~ $pattern && $BASE/ != /mnt/* ]] || die_usage "LAB_DIR '$BASE' must be an absolute path without special characters, not below /mnt"
    [[ $LIMIT =~ ^[1-9][0-9]*$ ]] || die_usage "LAB_TIMEOUT must be a number of seconds"
    STATE=$BASE/$NAME
    SWITCH=hamn-lab.$NAME
    CGROUPS=
    local where kind
    while read -r _ where kind _; do
        if [[ $kind == cgroup2 ]]; then
            CGROUPS=$where
            break
        fi
    done < /proc/mounts
    LABGROUP=$CGROUPS/hamn-lab.$NAME
    PYTHON=/usr/bin/python3
    [[ -x $PYTHON ]] || PYTHON=$(command -v python3 || true)
    HOSTS=${LAB_HOSTS:-mn1=10.77.0.11 mn2=10.77.0.12 cn1=10.77.0.21}
    PREFIX=${LAB_PREFIX:-16}
    SWITCH_ADDRESS=${LAB_SWITCH:-10.77.0.1}
    INIT=${LAB_INIT:-systemd}
    DISK=${LAB_DISK:-8G}
    DATA=${LAB_DATA:-}
    PACKAGES_EXTRA=${LAB_PACKAGES:-}
    # a running lab keeps the settings it was made with
    # shellcheck disable=SC1091
    if [[ -r $STATE/settings ]]; then source "$STATE/settings"; fi
}

write_settings() {
    printf '%s=%q\n' HOSTS "$HOSTS" PREFIX "$PREFIX" SWITCH_ADDRESS "$SWITCH_ADDRESS" \
        INIT "$INIT" DISK "$DISK" DATA "$DATA" IMAGE "$IMAGE" > "$STATE/settings.new"
    mv "$STATE/settings.new" "$STATE/settings"
}

say() { echo "lab: $*" >&2; }

# die WHAT [HINT]
die() {
    say "$1"
    [[ -z ${2:-} ]] || echo "  hint: $2" >&2
    exit "${FAILED:-1}"
}

die_usage() {
    say "$1"
    echo "  hint: lab help" >&2
    exit 2
}

need_lab() {
    [[ -r $STATE/settings ]] || die "lab '$NAME' is not up" "LAB_NAME=$NAME lab up"
}

need_host() {
    need_lab
    # without a subshell: this is on the way of every command
    [[ " $HOSTS" == *" $1="* ]] || address_of "$1" > /dev/null
}

host_names() {
    local entry
    for entry in $HOSTS; do echo "${entry%%=*}"; done
}

address_of() {
    local entry
    for entry in $HOSTS; do
        if [[ ${entry%%=*} == "$1" ]]; then
            echo "${entry#*=}"
            return 0
        fi
    done
    die "lab '$NAME' has no host '$1'" "its hosts are: $(host_names | xargs)"
}

# The same name has the same address in every lab and after every power cycle,
# so that DHCP host entries and ARP captures stay valid. 02: is "locally administered".
mac_of() {
    local sum
    sum=$(printf 'hamn-lab host %s' "$1" | sha256sum)
    printf '02:%s:%s:%s:%s:%s\n' "${sum:0:2}" "${sum:2:2}" "${sum:4:2}" "${sum:6:2}" "${sum:8:2}"
}

# PID 1 of a host as seen from the machine; nothing if the host is off. A number alone
# proves nothing (it may have been given away again): the process must be in the host's cgroup.
init_of() {
    local pid line
    [[ -e $STATE/$1/power ]] || return 0
    { read -r pid < "$STATE/$1/pid"; } 2> /dev/null || return 0
    while read -r line; do
        if [[ $line == 0::*"/hamn-lab.$NAME/$1/"* ]]; then echo "$pid"; fi
    done 2> /dev/null < "/proc/$pid/cgroup" || return 0
}

# need_init HOST - sets INIT_PID
need_init() {
    INIT_PID=$(init_of "$1")
    [[ -n $INIT_PID ]] || die "$1 is off" "LAB_NAME=$NAME lab start $1"
}

# until_true SECONDS COMMAND... - polls; fails when the time is over
until_true() {
    local deadline=$((SECONDS + $1 + 1)) # SECONDS ticks in whole seconds: never less than asked
    shift
    until "$@"; do
        (( SECONDS < deadline )) || return 1
        sleep 0.01
    done
}

# Runs a command in the switch's network.
on_switch() { nsenter "--net=/run/netns/$SWITCH" "$@"; }

# Runs a command in a host with a time limit: the host may be hung.
in_host() {
    local limit=$1 pid=$2
    shift 2
    timeout -k 1 "$limit" nsenter -t "$pid" --mount --net --uts --ipc --pid --cgroup --wdns=/ -- "$@"
}

# Runs a command with the package layer over this machine's files, for tools that
# only the layer has. It sees $STATE as /mnt.
in_layer() {
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount --propagation private bash -euc '
        disk=$1 image=$2
        cd "$3"
        shift 3
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/image /mnt/root
        "$disk" mount ro,noload "$image" /mnt/image
        mount -t overlay -o lowerdir=/mnt/image/upper:/ overlay /mnt/root
        mount --bind /dev /mnt/root/dev
        mount --bind . /mnt/root/mnt
        exec chroot /mnt/root "$@"
    ' in_layer "$HERE/lib/disk" "$IMAGE" "$STATE" "$@"
}

nft_on_switch() {
    if command -v nft > /dev/null; then on_switch nft "$@"; return; fi
    # a subshell, for nsenter cannot run a shell function
    ( export -f in_layer; export HERE IMAGE STATE; on_switch bash -euc 'in_layer nft "$@"' nft "$@" )
}
