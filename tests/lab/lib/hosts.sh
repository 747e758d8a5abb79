# shellcheck shell=bash
# Power: up, down, start, kill, crash, status. Sourced by lab.
#
# A host is off unless $STATE/HOST/power exists and its PID 1 lives. "start" makes that file
# first and "kill" removes it first, so that a kill in the middle of a start wins.

cmd_up() {
    check_settings
    cmd_image
    [[ -e $STATE || ! -d $LABGROUP ]] ||
        die "remains of an earlier lab '$NAME' are in the way" "LAB_NAME=$NAME lab down"
    mkdir "$STATE" 2> /dev/null || die "lab '$NAME' exists already" "LAB_NAME=$NAME lab down"
    join_lab
    # a link of its own: hosts can be started again even after the image was replaced
    ln "$IMAGE" "$STATE/image.ext4" 2> /dev/null && IMAGE=$STATE/image.ext4
    local host
    for host in $(host_names); do
        mkdir -p "$STATE/$host/mnt" "$STATE/$host/identity"
    done
    write_settings
    make_identities
    make_switch
    start_bmc
    start_all
}

# This process and its children end with the lab: even when it was killed, "down" finds
# those it left behind at work.
join_lab() {
    mkdir -p "$LABGROUP/.lab"
    echo "$$" > "$LABGROUP/.lab/cgroup.procs"
}

check_settings() {
    local entry host pattern='^[a-z][a-z0-9-]{0,14}=(dhcp|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$'
    [[ -n ${HOSTS// /} ]] || die_usage "LAB_HOSTS is empty"
    for entry in $HOSTS; do
        host=${entry%%=*}
        # a port of the switch is named for its host, and a link name has 15 characters
        [[ $entry =~ $pattern && $host != lo && $host != br0 ]] ||
            die_usage "LAB_HOSTS: '$entry' is not NAME=ADDRESS or NAME=dhcp, NAME at most 15 characters"
        [[ $(host_names | grep -cxF -- "$host") == 1 ]] || die_usage "LAB_HOSTS names '$host' twice"
    done
    pattern='^[a-z][a-z0-9-]*:/[A-Za-z0-9/._-]+:[0-9]+[KMG]$'
    for entry in $DATA; do
        [[ $entry =~ $pattern ]] || die_usage "LAB_DATA: '$entry' is not HOST:/PATH:SIZE"
        address_of "${entry%%:*}" > /dev/null
    done
    [[ $INIT == systemd || $INIT == bash ]] || die_usage "LAB_INIT must be systemd or bash"
    [[ $PREFIX =~ ^[0-9]+$ ]] || die_usage "LAB_PREFIX must be a number"
    [[ $DISK =~ ^[0-9]+[KMG]$ ]] || die_usage "LAB_DISK must be a size such as 8G"
}

# Who the hosts are: made once per lab, so host keys stay the same over restarts and every
# host knows those of all others from the beginning.
make_identities() {
    local host address names shared=$STATE/identity
    mkdir -p "$shared"
    # shellcheck disable=SC2016,SC2046  # expanded by the inner shell; a list of words
    in_layer bash -euc '
        ssh-keygen -q -t ed25519 -N "" -C root@lab -f /mnt/identity/id_ed25519
        for host; do
            ssh-keygen -q -t ed25519 -N "" -C "root@$host" -f "/mnt/$host/identity/ssh_host_ed25519_key"
        done' keys $(host_names)
    echo '127.0.0.1 localhost' > "$shared/hosts"
    : > "$shared/known_hosts"
    for host in $(host_names); do
        address=$(address_of "$host")
        names=$host
        if [[ $address != dhcp ]]; then
            echo "$address $host" >> "$shared/hosts"
            names=$host,$address
        fi
        echo "$names $(cut -d' ' -f1,2 "$STATE/$host/identity/ssh_host_ed25519_key.pub")" >> "$shared/known_hosts"
        tr -d - < /proc/sys/kernel/random/uuid > "$STATE/$host/identity/machine-id"
    done
}

make_switch() {
    ip netns add "$SWITCH"
    on_switch ip link set lo up
    # an address of its own: a bridge otherwise takes one of its ports', and changes it with them
    on_switch ip link add br0 address "$(mac_of switch)" type bridge mcast_snooping 0 forward_delay 0
    on_switch ip link set br0 up
    on_switch ip addr add "$SWITCH_ADDRESS/$PREFIX" brd + dev br0
}

start_bmc() {
    mkdir -p "$LABGROUP/.switch"
    echo none > "$STATE/bmc-fault"
    (
        echo "$BASHPID" > "$LABGROUP/.switch/cgroup.procs"
        export LAB_NAME=$NAME LAB_DIR=$BASE
        exec setsid nsenter "--net=/run/netns/$SWITCH" "$PYTHON" -IS "$HERE/bmc" "$SWITCH_ADDRESS" "$STATE" "$HERE/lab"
    ) < /dev/null > "$STATE/bmc.log" 2>&1 &
    until_true 20 test -e "$STATE/bmc.ready" || die "the BMC does not start" "see $STATE/bmc.log"
}

start_all() {
    local host job jobs=() failed=0
    for host in $(host_names); do
        cmd_start "$host" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    (( ! failed )) || die "not all hosts of lab '$NAME' are up" "LAB_NAME=$NAME lab status; lab down removes what there is"
}

cmd_start() {
    local host=$1 dir=$STATE/$1 token lab_lock lock
    # "down" waits for this lock before it removes files
    { exec {lab_lock}< "$STATE"; } 2> /dev/null && flock -s -w "$LIMIT" "$lab_lock" && [[ -e $STATE/settings ]] ||
        die "lab '$NAME' is going down"
    exec {lock}> "$dir/lock"
    flock -w "$LIMIT" "$lock" || die "$host: another start does not end" "see $dir/log"
    if [[ -n $(init_of "$host") && -e $dir/booted ]]; then
        say "$host is already on"
    else
        if [[ -z $(init_of "$host") ]]; then
            until_true "$LIMIT" is_gone "$host" ||
                die "$host: something of it is still alive" "see $LABGROUP/$host and losetup -a"
            token=$$.$RANDOM
            rm -f "$dir/pid" "$dir/booted" "$dir/disks" "$dir"/fault.iofail*
            echo "$token" > "$dir/power"
            make_disks "$host"
            spawn "$host" {lab_lock}<&- {lock}>&-
            plug "$host"
        fi
        until_true "$LIMIT" has_booted "$host" || start_failed "$host" "does not boot in $LIMIT s"
        touch "$dir/booted"
    fi
    exec {lock}>&- {lab_lock}<&-
}

start_failed() {
    sed "s/^/  $1: /" "$STATE/$1/log" >&2
    [[ -e $STATE/$1/power ]] || power_off "$1"
    die "$1 $2" "see $STATE/$1/log"
}

# Nothing of an earlier run is left: no group, and no loop device on its disks. A second
# mount of a disk that is still in use would share or spoil the first one's file system.
is_gone() {
    if [[ -d $LABGROUP/$1 ]]; then
        find "$LABGROUP/$1" -depth -type d -exec rmdir {} + 2> /dev/null || true
        [[ ! -d $LABGROUP/$1 ]] || return 1
    fi
    [[ -z $(loops_of "$1") ]]
}

# The loop devices on the disks of a host.
loops_of() {
    local disk
    for disk in "$STATE/$1"/*.img; do
        if [[ -e $disk ]]; then losetup --noheadings --output NAME --associated "$disk"; fi
    done
}

make_disk() {
    # no lazy zeroing later on: the file is zero already and is to stay sparse
    [[ -e $1 ]] && return
    truncate -s "$2" "$1.new"
    mkfs.ext4 -q -F -m 0 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$1.new"
    mv "$1.new" "$1"
}

# The disks of a host, and the file that tells hostinit about them.
make_disks() {
    local host=$1 dir=$STATE/$1 entry path file data=
    make_disk "$dir/disk.img" "$DISK"
    for entry in $DATA; do
        [[ ${entry%%:*} == "$host" ]] || continue
        path=${entry#*:}
        path=${path%:*}
        file=data${path//\//-}.img
        make_disk "$dir/$file" "${entry##*:}"
        data+="$path:$file "
    done
    printf '%s=%q\n' host "$host" address "$(address_of "$host")" prefix "$PREFIX" init "$INIT" \
        image "$IMAGE" data "$data" wait "$LIMIT" > "$dir/boot"
}

# Leaves PID 1 waiting for its cable.
spawn() {
    local host=$1 group=$LABGROUP/$1/host
    mkdir -p "$group"
    (
        # in the group first: the new cgroup namespace begins where the process is
        echo "$BASHPID" > "$group/cgroup.procs"
        exec setsid unshare --mount --propagation private "$HERE/hostinit" disks "$STATE/$host"
    ) < /dev/null > "$STATE/$host/log" 2>&1 &
    local outer=$!
    until_true "$LIMIT" spawned "$host" "$outer" || start_failed "$host" "gets no PID 1"
    [[ -e $STATE/$host/pid ]] || start_failed "$host" "gets no PID 1"
    echo "$outer" > "$STATE/$host/outer"
    # out of the namespace's root, where it would be a process without a number
    echo "$outer" > "$LABGROUP/$host/cgroup.procs" || start_failed "$host" "died"
}

spawned() { [[ -e $STATE/$1/pid || ! -d /proc/$2 ]]; }

# The cable: eth0 in the host, and a port of the switch named for the host.
plug() {
    local host=$1 pid
    pid=$(init_of "$host")
    [[ -n $pid ]] || start_failed "$host" "died"
    on_switch ip link del dev "$host" 2> /dev/null || true
    on_switch ip link add name "$host" type veth peer name eth0 address "$(mac_of "$host")" netns "$pid" ||
        start_failed "$host" "cannot be plugged in"
    on_switch ip link set dev "$host" master br0
    restore_faults "$host"
}

# Answers "yes" also if it never will, having said so.
has_booted() {
    local host=$1 pid
    pid=$(init_of "$host")
    [[ -n $pid ]] || start_failed "$host" "died, or was powered off, while booting"
    if [[ $INIT == bash ]]; then
        [[ -e /proc/$pid/root/run/lab-booted ]]
        return
    fi
    [[ -S /proc/$pid/root/run/systemd/private ]] || return 1
    case $(in_host 5 "$pid" systemctl is-system-running 2> /dev/null) in
        running) return 0 ;;
        degraded)
            say "$host: units that failed: $(in_host 5 "$pid" systemctl --failed --plain --no-legend | cut -d' ' -f1 | xargs)"
            return 0 ;;
    esac
    sleep 0.05 # asking is dear while it boots
    return 1
}

# The port goes down first: a dying network stack still answers ARP for some milliseconds.
# Then all processes at once, "lab exec" included. Does not wait for file systems to be
# unmounted; "start" does.
power_off() {
    rm -f "$STATE/$1/power"
    on_switch ip link set dev "$1" down 2> /dev/null || true
    { echo 1 > "$LABGROUP/$1/cgroup.kill"; } 2> /dev/null || true
}

cmd_kill() {
    [[ -e $STATE/$1/power ]] || say "$1 is already off"
    power_off "$1"
}

# All disks lose power at the same instant as the processor: nothing runs in between, and
# nothing is heard on the network any more.
cmd_crash() {
    need_init "$1"
    on_switch ip link set dev "$1" down
    echo 1 > "$LABGROUP/$1/cgroup.freeze"
    until_true 1 grep -qx 'frozen 1' "$LABGROUP/$1/cgroup.events" || true # busy in the kernel: cut anyway
    shut_disks "$1" all
    power_off "$1"
}

state_of() {
    if [[ -z $(init_of "$1") ]]; then echo off
    elif [[ $(< "$LABGROUP/$1/cgroup.freeze") == 1 ]]; then echo paused
    elif [[ ! -e $STATE/$1/booted ]]; then echo booting
    else echo on
    fi
}

cmd_mac() { mac_of "$1"; }

cmd_status() {
    local host line sep=
    case ${1:-} in
        --json) printf '{"lab":"%s","init":"%s","bmc_fault":"%s","cuts":[%s],"hosts":[' \
            "$NAME" "$INIT" "$(< "$STATE/bmc-fault")" "$(cuts | sed 's/.*/"&"/' | paste -sd,)" ;;
        '') ;;
        *) die_usage "status knows --json only" ;;
    esac
    for host in $(host_names); do
        line=$(faults_of "$host")
        if [[ ${1:-} == --json ]]; then
            printf '%s{"name":"%s","address":"%s","mac":"%s","state":"%s","pid":%s,"faults":[%s]}' "$sep" "$host" \
                "$(address_of "$host")" "$(mac_of "$host")" "$(state_of "$host")" "$(init_of "$host" | grep . || echo null)" \
                "$([[ -z $line ]] || sed 's/.*/"&"/' <<< "$line" | paste -sd,)"
            sep=,
        else
            printf '%-15s %-7s %-15s %s %s\n' "$host" "$(state_of "$host")" "$(address_of "$host")" \
                "$(mac_of "$host")" "$(paste -sd, <<< "$line")"
        fi
    done
    if [[ ${1:-} == --json ]]; then
        printf ']}\n'
    else
        line=$(cuts | paste -sd' ')
        printf 'bmc %s; cuts: %s\n' "$(< "$STATE/bmc-fault")" "${line:-none}"
    fi
}

# Finds everything by name, so it also clears up after an interrupted "up".
cmd_down() {
    local lock
    if [[ -d $STATE ]]; then
        rm -f "$STATE"/*/power
        exec {lock}< "$STATE"
    fi
    if [[ -d $LABGROUP ]]; then
        until_true "$LIMIT" lab_is_dead || die "lab '$NAME': some processes do not die" "see $LABGROUP"
    fi
    if [[ -n ${lock:-} ]]; then
        flock -w "$LIMIT" "$lock" || die "lab '$NAME': a start does not end"
        until_true "$LIMIT" loops_are_gone || die "lab '$NAME': a disk is still in use" "see losetup -a"
        exec {lock}<&-
    fi
    if [[ -e /run/netns/$SWITCH ]]; then ip netns del "$SWITCH"; fi
    rm -rf "$STATE"
    until_true 5 lab_is_dead || true # a start that noticed just now may have made a group
}

lab_is_dead() {
    [[ -d $LABGROUP ]] || return 0
    echo 1 > "$LABGROUP/cgroup.kill"
    find "$LABGROUP" -depth -type d -exec rmdir {} + 2> /dev/null || true
    [[ ! -d $LABGROUP ]]
}

# Devices detach when their file systems are unmounted.
loops_are_gone() {
    local dir
    for dir in "$STATE"/*/; do
        [[ -z $(loops_of "$(basename "$dir")") ]] || return 1
    done
}
