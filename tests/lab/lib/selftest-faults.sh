# shellcheck shell=bash
# Checks of faults and of power. Sourced by selftest.

# slow_transfer LEAST MOST - how long 2 MB from mn1 to cn1 take [ms]; ssh itself takes 300 or so
transfer() { "$L" exec mn1 sh -c 'head -c 2000000 /dev/zero | ssh cn1 "cat > /dev/null"'; }

# of 60 small packets at 40 % loss each way, how many pings come back
some_lost() {
    local back
    back=$("$L" exec cn1 ping -q -i 0.02 -c 60 -W 1 mn1 | sed -n 's/.* \([0-9]*\) received.*/\1/p')
    (( back > 5 && back < 45 ))
}

section_cables() {
    export -f transfer some_lost
    ok "cut mn1 mn2" "$L" cut mn1 mn2
    no "mn1 does not see mn2" sees mn1 mn2
    no "mn2 does not see mn1" sees mn2 mn1
    ok "cn1 sees mn1" sees cn1 mn1
    ok "cn1 sees mn2" sees cn1 mn2
    is "carrier stays" 1 on mn1 cat /sys/class/net/eth0/carrier
    ok "cut again, other way round: no error" "$L" cut mn2 mn1
    ok "uncut" "$L" uncut mn2 mn1
    ok "mn1 sees mn2 again" sees mn1 mn2 10
    ok "uncut again: no error" "$L" uncut mn1 mn2

    ok "partition mn1" "$L" partition mn1
    no "nobody sees mn1" sees cn1 mn1
    is "it has no carrier" 0 on mn1 cat /sys/class/net/eth0/carrier
    ok "kill it" "$L" kill mn1
    ok "start it" "$L" start mn1
    no "a bad cable stays bad over a power cycle" sees cn1 mn1
    ok "heal mn1" "$L" heal mn1
    ok "it is seen again" sees cn1 mn1 10

    ok "loss 100" "$L" loss mn1 100
    no "nothing gets through" sees cn1 mn1
    ok "loss 40" "$L" loss mn1 40
    ok "some gets through" some_lost
    ok "loss 0" "$L" loss mn1 0
    ok "all gets through" on cn1 ping -q -c 10 -i 0.02 -W 1 mn1

    ok "bw 4mbit" "$L" bw mn1 4mbit
    takes "2 MB at 4 Mbit/s" 3500 9000 transfer
    ok "bw 0" "$L" bw mn1 0
    takes "2 MB without a limit" 0 2500 transfer
    no "bw refuses nonsense" "$L" bw mn1 fast
}

section_processors() {
    ok "pause mn1" "$L" pause mn1
    ok "its kernel still answers ping" sees cn1 mn1
    no "ssh does not" on cn1 ssh -o ConnectTimeout=2 mn1 true
    is "status says so" paused bash -c '"$L" status | awk "/^mn1/ {print \$2}"'
    ok "resume" "$L" resume mn1
    ok "ssh does again" on cn1 ssh mn1 true
    ok "pause and kill" bash -c '"$L" pause mn1 && "$L" kill mn1'
    ok "start" "$L" start mn1
    ok "it is not paused" on mn1 true
}

free_bytes() { "$L" exec mn1 sh -c "echo \$((\$(stat -f -c '%a * %S' $1)))"; }
close_to() { local have; have=$(free_bytes "$1"); (( have <= $2 && have > $2 - 65536 )); }

section_disks() {
    export -f free_bytes close_to
    ok "fill mn1" "$L" fill mn1
    is "no room on /" 0 free_bytes /
    is "no room on /install" 0 free_bytes /install
    no "writing fails" on mn1 dd if=/dev/zero of=/root/new bs=64k count=4
    no "also on /install" on mn1 dd if=/dev/zero of=/install/new bs=64k count=4
    ok "mn2 has room" on mn2 dd if=/dev/zero of=/root/new bs=64k count=4
    is "nothing shows in the host" "" on mn1 find /install -maxdepth 1 -newer /run -size +100k
    ok "fill, leaving 10 MB on /install" "$L" fill mn1 10000000 /install
    ok "10 MB are left there" close_to /install 10000000
    ok "they can be used" on mn1 dd if=/dev/zero of=/install/new bs=1M count=9
    no "and not more" on mn1 dd if=/dev/zero of=/install/new2 bs=1M count=2
    ok "unfill" "$L" unfill mn1
    ok "room again" on mn1 dd if=/dev/zero of=/install/new2 bs=1M count=2
    no "a disk that is not there is named" "$L" fill mn1 0 /nowhere

    ok "iofail of /install only" "$L" iofail mn1 /install
    no "writing there fails" on mn1 sh -c 'echo x > /install/x'
    ok "/ is well" on mn1 sh -c 'echo x > /root/x && sync /root/x'
    ok "iofail of all" "$L" iofail mn1
    no "writing to / fails" on mn1 sh -c 'echo x > /root/y'
    ok "kill" "$L" kill mn1
    ok "start: disks work again" "$L" start mn1
    ok "they do" on mn1 sh -c 'echo x > /install/x && sync /install/x && echo x > /root/y && sync /root/y'
}

write_both() { "$L" exec mn1 sh -c "echo $1 > /root/$1 && echo $1 > /install/$1"; }
two_starts() { local a b; "$L" start mn2 & a=$!; "$L" start mn2 & b=$!; wait "$a" && wait "$b"; }
kill_wins() {
    local try
    for try in 0.0 0.05 0.1 0.2 0.3 0.5; do
        "$L" kill mn2
        "$L" start mn2 2> /dev/null &
        until [[ -e ${LAB_DIR:-/var/tmp/hamn-lab}/$LAB_NAME/mn2/power ]]; do sleep 0.01; done
        sleep "$try"
        "$L" kill mn2 2> /dev/null
        wait "$!"
        "$L" exec mn2 true 2> /dev/null && { echo "alive after $try s" >&2; return 1; }
    done
    return 0
}
all_at_once() {
    local host jobs=()
    for host in mn1 mn2 cn1; do ("$L" kill "$host" && "$L" start "$host") & jobs+=($!); done
    for host in "${jobs[@]}"; do wait "$host" || return 1; done
}

section_power() {
    export -f write_both two_starts kill_wins all_at_once until_off status_of
    ok "write and sync" write_both kept
    ok "sync" on mn1 sync /root/kept /install/kept /root /install
    ok "put a file" "$L" put mn1 /bin/true /usr/local/bin/put
    ok "write without sync" write_both lost
    ok "crash" "$L" crash mn1
    is "exec in a host that is off gives 125" 125 status_of mn1 true
    no "nobody sees it" sees cn1 mn1
    ok "start" "$L" start mn1
    is "synced data is kept on / and /install" "kept kept" on mn1 sh -c 'cat /root/kept /install/kept | xargs'
    no "unsynced data is lost on /" on mn1 test -s /root/lost
    no "unsynced data is lost on /install" on mn1 test -s /install/lost
    ok "what was put is kept" on mn1 cmp /bin/true /usr/local/bin/put
    is "same MAC address" "$MAC_MN1" on mn1 cat /sys/class/net/eth0/address
    ok "same host key" on cn1 ssh -o StrictHostKeyChecking=yes mn1 true
    ok "kill" "$L" kill mn1
    ok "kill again is no error" "$L" kill mn1
    ok "start" "$L" start mn1
    ok "start again is no error" "$L" start mn1
    ok "kill loses nothing" on mn1 test -s /root/kept
    if [[ $LAB_INIT == systemd ]]; then
        on mn1 poweroff > /dev/null 2>&1
        ok "poweroff in the host: it is off" until_off mn1
        ok "start" "$L" start mn1
    fi
    ok "kill in the middle of a start wins" kill_wins
    ok "two starts at once" two_starts
    ok "and it runs" on mn2 true
    ok "all hosts at once" all_at_once
    ok "and they see each other" sees mn1 cn1 10
}

until_off() {
    local i
    for i in {1..200}; do
        "$L" status | grep -q "^$1 *off" && return 0
        sleep 0.05
    done
    return 1
}

bmc() { "$L" exec mn2 bmc-client 10.77.0.1 "$@"; }

section_bmc() {
    export -f bmc until_off status_of
    is "status on" "Chassis Power is on" bmc status mn1
    is "off" "Chassis Power Control: Down/Off" bmc off mn1
    is "status off" "Chassis Power is off" bmc status mn1
    no "it is off" on mn1 true
    is "off again" "Chassis Power Control: Down/Off" bmc off mn1
    is "on" "Chassis Power Control: Up/On" bmc on mn1
    ok "start waits for it" "$L" start mn1
    ok "it is on" on mn1 true
    no "an unknown host is an error" bmc status mn7

    "$L" bmc-fault lies
    is "lies: off" "Chassis Power Control: Down/Off" bmc off mn1
    is "lies: but it is on" "Chassis Power is on" bmc status mn1
    "$L" bmc-fault refuses
    no "refuses: off" bmc off mn1
    ok "refuses: it is on" on mn1 true
    "$L" bmc-fault unreachable
    takes "unreachable: gives up" 4900 7000 bmc status mn1
    no "unreachable: is an error" bmc off mn1
    "$L" bmc-fault slow 2
    takes "slow 2" 2000 4500 bmc status mn1
    "$L" bmc-fault slow 7
    no "slow 7: too slow for the client" bmc off mn1
    ok "slow 7: but it happens in the end" until_off mn1
    "$L" bmc-fault none
    is "none: on" "Chassis Power Control: Up/On" bmc on mn1
    ok "start waits for it" "$L" start mn1
    no "bmc-fault refuses nonsense" "$L" bmc-fault tired
    ok "partition mn2" "$L" partition mn2
    no "a host without network does not reach the BMC" bmc status mn1
    ok "heal mn2" "$L" heal mn2
    ok "it does again" bmc status mn1
}
