# shellcheck shell=bash
# Faults of cables, disks, processors and the BMC. Sourced by lab.
#
# A fault is noted in $STATE/HOST/fault.*, because a bad cable stays bad while its host
# is switched off and on: "start" sets it again. Only iofail and pause end with power off.

faults_of() {
    local file name
    for file in "$STATE/$1"/fault.*; do
        [[ -e $file ]] || continue
        name=${file##*/fault.}
        echo "${name%%@*} $(< "$file")" | xargs
    done
}

restore_faults() {
    local host=$1 dir=$STATE/$1 file where leave
    [[ ! -e $dir/fault.loss ]] || set_loss "$host" "$(< "$dir/fault.loss")"
    [[ ! -e $dir/fault.bw ]] || set_bw "$host" "$(< "$dir/fault.bw")"
    for file in "$dir"/fault.fill@*; do
        [[ -e $file ]] || continue
        read -r where leave < "$file"
        fill_disks "$host" "$leave" "$where"
    done
    # last: plugged in means that all the rest is in force
    [[ -e $dir/fault.partition ]] || on_switch ip link set dev "$host" up
}

# --- cables

cmd_partition() {
    touch "$STATE/$1/fault.partition"
    # a host that is off has no cable; "start" leaves it unplugged
    on_switch ip link set dev "$1" down 2> /dev/null || [[ -z $(init_of "$1") ]]
}

cmd_heal() {
    rm -f "$STATE/$1/fault.partition"
    if [[ -n $(init_of "$1") ]]; then on_switch ip link set dev "$1" up; fi
}

cuts() {
    local file
    for file in "$STATE"/cut.*; do
        if [[ -e $file ]]; then echo "${file##*/cut.}"; fi
    done
}

# The rule names the ports, so it holds for hosts that are off or start later.
cmd_cut() {
    local pair
    [[ $1 != "$2" ]] || die_usage "cannot cut $1 from itself"
    pair=$(printf '%s\n' "$1" "$2" | sort | paste -sd:)
    nft_on_switch -f - <<EOT || die "cannot cut $1 from $2" "needs nftables with the bridge family (module nft_meta_bridge, nf_tables)"
table bridge cut-${pair/:/_}
delete table bridge cut-${pair/:/_}
table bridge cut-${pair/:/_} {
    chain forward {
        type filter hook forward priority 0;
        iifname "$1" oifname "$2" drop
        iifname "$2" oifname "$1" drop
    }
}
EOT
    touch "$STATE/cut.$pair"
}

cmd_uncut() {
    local pair
    pair=$(printf '%s\n' "$1" "$2" | sort | paste -sd:)
    [[ -e $STATE/cut.$pair ]] || return 0
    nft_on_switch delete table bridge cut-${pair/:/_}
    rm -f "$STATE/cut.$pair"
}

cmd_loss() {
    [[ $2 =~ ^[0-9]+$ && $2 -le 100 ]] || die_usage "loss: '$2' is not a percentage"
    if [[ -n $(init_of "$1") ]]; then set_loss "$1" "$2"; fi
    echo "$2" > "$STATE/$1/fault.loss"
    [[ $2 != 0 ]] || rm "$STATE/$1/fault.loss"
}

# Each packet at random, both ways, ARP included: netem is not in every kernel.
set_loss() {
    local rule="numgen random mod 100 < $2 drop" chains=
    if [[ $2 == 100 ]]; then rule=drop; fi
    if [[ $2 != 0 ]]; then
        chains="table netdev loss-$1 {
            chain in { type filter hook ingress device \"$1\" priority 0; $rule; }
            chain out { type filter hook egress device \"$1\" priority 0; $rule; }
        }"
    fi
    nft_on_switch -f - <<EOT || die "cannot drop packets of $1" "needs nftables with netdev ingress and egress hooks (Linux 5.16)"
table netdev loss-$1
delete table netdev loss-$1
$chains
EOT
}

cmd_bw() {
    [[ $2 == 0 || $2 =~ ^[0-9]+(kbit|mbit|gbit)$ ]] || die_usage "bw: '$2' is not a rate such as 10mbit"
    if [[ -n $(init_of "$1") ]]; then set_bw "$1" "$2"; fi
    echo "$2" > "$STATE/$1/fault.bw"
    [[ $2 != 0 ]] || rm "$STATE/$1/fault.bw"
}

# What the host receives is limited at the switch, what it sends at its own eth0.
set_bw() {
    local host=$1 rate=$2 pid kilo burst side
    pid=$(init_of "$host")
    for side in "--net=/run/netns/$SWITCH $host" "--net=/proc/$pid/ns/net eth0"; do
        nsenter "${side% *}" tc qdisc del dev "${side#* }" root 2> /dev/null || true
        [[ $rate != 0 ]] || continue
        kilo=${rate%?bit}
        case $rate in *mbit) kilo+=000 ;; *gbit) kilo+=000000 ;; esac
        burst=$((kilo * 1000 / 8 / 50)) # 20 ms worth, but a few packets at least [bytes]
        (( burst > 6000 )) || burst=6000
        nsenter "${side% *}" tc qdisc add dev "${side#* }" root tbf rate "$rate" burst "$burst" latency 400ms ||
            die "cannot limit $host to $rate" "needs the module sch_tbf"
    done
}

# --- processors

cmd_pause() {
    need_init "$1"
    echo 1 > "$LABGROUP/$1/cgroup.freeze"
    until_true 10 grep -qx 'frozen 1' "$LABGROUP/$1/cgroup.events" ||
        die "$1: some processes do not freeze" "they may be waiting for a disk"
}

cmd_resume() {
    need_init "$1"
    echo 0 > "$LABGROUP/$1/cgroup.freeze"
}

# --- disks

# disk_paths HOST DIR|all - where the machine reaches the disks, one a line: "FD-PATH DIR".
# hostinit's parent holds them open, for they are mounted out of everybody's sight.
disk_paths() {
    local outer fd where found=
    outer=$(< "$STATE/$1/outer")
    while read -r fd where; do
        if [[ $2 == all || $2 == "$where" ]]; then
            echo "/proc/$outer/fd/$fd $where"
            found=1
        fi
    done < "$STATE/$1/disks"
    [[ -n $found ]] || die "$1 has no disk at $2" "its disks: $(cut -d' ' -f2 "$STATE/$1/disks" | xargs)"
}

fault_file() { echo "$STATE/$1/fault.$2@${3//\//-}"; }

shut_disks() {
    local path where paths
    paths=$(disk_paths "$1" "$2")
    # one call, so that they fail together
    # shellcheck disable=SC2046  # a list of words
    "$PYTHON" -IS "$HERE/lib/disk" shutdown $(cut -d' ' -f1 <<< "$paths") || die "cannot shut the disks of $1"
    while read -r path where; do
        echo "$where" > "$(fault_file "$1" iofail "$where")"
    done <<< "$paths"
}

cmd_iofail() {
    need_init "$1"
    shut_disks "$1" "${2:-all}"
}

fill_disks() {
    local path where paths
    paths=$(disk_paths "$1" "$3")
    while read -r path where; do
        "$PYTHON" -IS "$HERE/lib/disk" fill "$path" "$2" || die "cannot fill $where of $1"
        echo "$where $2" > "$(fault_file "$1" fill "$where")"
    done <<< "$paths"
}

cmd_fill() {
    local leave=${2:-0}
    [[ $leave =~ ^[0-9]+$ ]] || die_usage "fill: '$leave' is not a number of bytes"
    need_init "$1"
    fill_disks "$1" "$leave" "${3:-all}"
}

cmd_unfill() {
    local path where paths
    need_init "$1"
    paths=$(disk_paths "$1" "${2:-all}")
    while read -r path where; do
        "$PYTHON" -IS "$HERE/lib/disk" unfill "$path" || die "cannot unfill $where of $1"
        rm -f "$(fault_file "$1" fill "$where")"
    done <<< "$paths"
}

# --- BMC

cmd_bmc_fault() {
    case $1 in
        none | unreachable | lies | refuses) (( $# == 1 )) || die_usage "bmc-fault $1 takes no argument" ;;
        slow) [[ ${2:-} =~ ^[0-9]+([.][0-9]+)?$ ]] || die_usage "bmc-fault slow needs a number of seconds" ;;
        *) die_usage "bmc-fault: none, unreachable, lies, slow SECONDS or refuses" ;;
    esac
    echo "$*" > "$STATE/bmc-fault.new"
    mv "$STATE/bmc-fault.new" "$STATE/bmc-fault"
}
