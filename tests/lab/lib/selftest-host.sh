# shellcheck shell=bash
# Checks of hosts, of running commands in them and of copying files. Sourced by selftest.

section_hosts() {
    local host
    for host in mn1 mn2 cn1; do
        is "$host: own hostname" "$host" on "$host" hostname
        is "$host: fixed MAC address" "$("$L" mac "$host")" on "$host" cat /sys/class/net/eth0/address
    done
    if [[ $LAB_INIT == systemd ]]; then
        is "systemd is running, no unit failed" running on mn1 systemctl is-system-running
        is "ssh is the one service enabled" "ssh.service" on mn1 sh -c \
            'systemctl list-unit-files --state=enabled --plain --no-legend | grep -v ^dbus | cut -d" " -f1'
    fi
    for host in postgres mariadbd named dhcpd corosync pacemakerd cron; do
        no "$host does not run" on mn1 pgrep -x "$host"
    done
    is "ssh by name, host key known" mn1 on cn1 ssh -o StrictHostKeyChecking=yes -o BatchMode=yes mn1 hostname
    is "ssh by address" mn2 on mn1 ssh -o StrictHostKeyChecking=yes -o BatchMode=yes 10.77.0.12 hostname
    ok "rsync mn1 -> mn2" on mn1 rsync -a /etc/hostname mn2:/tmp/from
    is "rsync arrived" mn1 on mn2 cat /tmp/from
    is "own root directory" ".bashrc .profile .ssh" on mn1 sh -c 'ls -A /root | xargs'
    is "a data disk is mounted" ext4 on mn1 findmnt -n -o FSTYPE /install
    no "cn1 has none" on cn1 test -e /install
    ok "two commands start and stop a service" on mn2 sh -c 'service cron start && service cron stop'
}

section_isolation() {
    local hidden
    no "/tmp is private" test -e /tmp/from
    no "shared sysctl is read-only" on mn1 sysctl -w kernel.panic=7
    ok "network sysctl is writable" on mn1 sysctl -w net.ipv4.ip_forward=1
    no "sysrq is out of reach" on mn1 sh -c 'echo h > /proc/sysrq-trigger'
    no "the clock is out of reach" on mn1 date -s "$(date '+%F %T')"
    no "the machine's disks are out of sight" on mn1 sh -c 'ls /dev | grep -E "^(vd|sd|loop|nvme)"'
    no "the lab's files are out of sight" on mn1 test -e "${LAB_DIR:-/var/tmp/hamn-lab}"
    is "other hosts' processes are out of sight" 1 on mn1 pgrep -cf '^sshd: /usr/sbin/sshd'
    hidden=$(mktemp /root/.selftest.XXXXXX)
    no "new files in the machine's /root do not show" on mn1 test -e "$hidden"
    rm -f "$hidden"
    ok "a host changes its own files" on mn1 sh -c 'rm /etc/debian_version && mv /etc/apt /etc/apt2'
    ok "and the machine keeps its" test -e /etc/debian_version -a -d /etc/apt
}

serve_addresses() {
    "$L" exec mn1 sh -c "printf '%s\n' 'subnet 10.77.0.0 netmask 255.255.0.0 { }' \
        'host cn1 { hardware ethernet $("$L" mac cn1); fixed-address 10.77.3.21; }' > /etc/dhcp/dhcpd.conf
        echo INTERFACESv4=eth0 > /etc/default/isc-dhcp-server
        service isc-dhcp-server start"
}
serve_consoles() {
    "$L" exec mn2 sh -c "printf '%s\n' 'default full { rw *; }' 'console c1 { master localhost; type exec; exec cat; }' \
        'access * { trusted 127.0.0.1; }' > /etc/conserver/conserver.cf
        service conserver-server start"
}

# What the package layer brings works in a host.
section_services() {
    export -f serve_addresses serve_consoles
    ok "postgresql starts" on mn1 service postgresql start
    is "it answers" 42 on mn1 su postgres -c "cd /; psql -Atc 'select 6*7'"
    ok "mariadb starts" on mn1 service mariadb start
    is "it answers" 42 on mn1 mariadb -Ne 'select 6*7'
    ok "named starts" on mn1 service named start
    is "it answers" 127.0.0.1 on mn1 dig +short +tries=2 @127.0.0.1 localhost
    ok "dhcpd starts" serve_addresses
    is "the fixed MAC address gets its fixed address" 10.77.3.21 on cn1 sh -c \
        'dhclient -1 -v -sf /bin/true -lf /tmp/leases -pf /tmp/pid eth0 2>&1 | sed -n "s/^bound to \([^ ]*\).*/\1/p"'
    ok "conserver starts" serve_consoles
    ok "it runs" on mn2 pgrep -x conserver
    ok "corosync, pacemaker and sqlite are there" on mn1 sh -c 'corosync -v && pacemakerd --version && sqlite3 -version'
    ok "and stop again" on mn1 sh -c 'service isc-dhcp-server stop; service named stop; service mariadb stop; service postgresql stop'
}

# No process of that command line runs in the host any more.
gone_in() {
    local i
    for i in {1..100}; do
        "$L" exec "$1" pgrep -fx "$2" || return 0
        sleep 0.05
    done
    return 1
}

daemon_left_behind() { local out; out=$("$L" exec cn1 sh -c 'sleep 611 & echo started' 2>&1) && [[ $out == started ]]; }
talking_daemon() {
    local pid
    pid=$("$L" exec cn1 sh -c '(while sleep 0.05; do echo talk; echo talk >&2; done) & echo $!' 2>&1 | head -n 1)
    sleep 0.5
    "$L" exec cn1 kill "$pid"
}
caller_dies() {
    bash -c '"$L" exec cn1 sh -c "sleep 622 & sleep 633" & sleep 0.7; kill -KILL $$' 2> /dev/null
    gone_in cn1 'sleep 622' && gone_in cn1 'sleep 633'
}
lab_dies() {
    timeout -s "$1" 0.7 "$L" exec cn1 sh -c 'sleep 644 & sleep 655'
    gone_in cn1 'sleep 644' && gone_in cn1 'sleep 655'
}
same_through_exec() { cmp "$WORK/big" <("$L" exec cn1 cat < "$WORK/big"); }
both_streams() { [[ $("$L" exec cn1 sh -c 'for i in 1 2 3; do echo o$i; echo e$i >&2; done' 2>&1 | xargs) == 'o1 e1 o2 e2 o3 e3' ]]; }
apart_streams() { [[ $("$L" exec cn1 sh -c 'echo o; echo e >&2' 2> /dev/null) == o ]]; }
not_leaking() {
    ! "$L" exec cn1 sh -c 'test -e /proc/$$/fd/7' 7> "$WORK/leak"
}
status_of() { local status=0; "$L" exec "$@" || status=$?; echo "$status"; }

section_exec() {
    head -c 30M /dev/urandom > "$WORK/big"
    export -f gone_in daemon_left_behind talking_daemon caller_dies lab_dies same_through_exec both_streams \
        apart_streams not_leaking status_of
    is "the exit status is kept" 7 status_of cn1 sh -c 'exit 7'
    is "a signal gives 128 + N" 137 status_of cn1 sh -c 'kill -KILL $$'
    is "a command that is not there" 127 status_of cn1 no-such-command
    is "arguments are kept" $'a b|*|\n||' on cn1 printf '%s|' 'a b' '*' $'\n' ''
    ok "30 MB through stdin and stdout" same_through_exec
    ok "stdout and stderr in one pipe keep their order" both_streams
    ok "stdout and stderr apart" apart_streams
    ok "closing the reading end stops the command" bash -c '"$L" exec cn1 yes | head -n 1'
    ok "no other open file gets in" not_leaking
    takes "a daemon left behind does not keep the caller waiting" 0 3000 daemon_left_behind
    ok "it lives on" on cn1 pkill -fx 'sleep 611'
    ok "a daemon that writes on is not killed by that" talking_daemon
    ok "the caller dies: command and children die" caller_dies
    ok "lab is terminated: command and children die" lab_dies TERM
    ok "lab is killed: command and children die" lab_dies KILL
    is "a command may be a service" active on cn1 sh -c 'service ssh restart > /dev/null && pgrep -x sshd > /dev/null && echo active'
}

# What must be the same in a copy.
listing() {
    (cd "$1" && find . ! -name lost+found \( -type d -printf '%P d %m %U %G %T@\n' -o -printf '%P %y %m %U %G %T@ %s %n %l\n' \) | sort)
}

make_tree() {
    mkdir -p "$1/sub/empty"
    head -c 100000 /dev/urandom > "$1/sub/data"
    ln "$1/sub/data" "$1/hard"
    ln -s /etc/hostname "$1/absolute"
    ln -s nowhere "$1/dangling"
    truncate -s 50M "$1/sparse"
    printf x > "$1/with space"
    printf '#!/bin/sh\n' > "$1/setuid"
    chown 33:44 "$1/sub/data" "$1/sub/empty"
    chmod 6755 "$1/setuid"
    chmod 1750 "$1/sub/empty"
    chmod 640 "$1/sub/data"
    touch -d '2001-02-03 04:05:06.789' "$1/with space" "$1/sub" "$1"
    chmod 2711 "$1"
}

# trees_same DIR - what is there in mn1 is what was made here
trees_same() {
    rm -rf "$WORK/back"
    # on standard error, to be shown if they differ
    "$L" get mn1 "$1" "$WORK/back" && diff -r --no-dereference -x lost+found "$WORK/tree" "$WORK/back" >&2 &&
        diff <(listing "$WORK/tree") <(listing "$WORK/back") >&2
}
keeps_running() {
    "$L" exec mn1 /usr/local/bin/tool 300 &
    local runs=$!
    sleep 0.5
    "$L" put mn1 /bin/cat /usr/local/bin/tool && "$L" exec mn1 pgrep -f '^/usr/local/bin/tool 300' &&
        "$L" exec mn1 cmp /bin/cat /usr/local/bin/tool
    local status=$?
    "$L" exec mn1 pkill -f '^/usr/local/bin/tool 300'
    wait "$runs"
    return "$status"
}

section_copy() {
    make_tree "$WORK/tree"
    export -f listing trees_same keeps_running
    ok "put a directory" "$L" put mn1 "$WORK/tree" /srv/deep/tree
    ok "get it back: the same" trees_same /srv/deep/tree
    ok "it is the same in the host" on mn1 cmp /srv/deep/tree/hard /srv/deep/tree/sub/data
    is "holes stay holes" yes on mn1 sh -c '[ $(du -k /srv/deep/tree/sparse | cut -f1) -lt 1000 ] && echo yes'
    ok "something more appears there" on mn1 touch /srv/deep/tree/more
    ok "put again" "$L" put mn1 "$WORK/tree" /srv/deep/tree
    ok "put again: exact" trees_same /srv/deep/tree
    ok "put over a mount point" "$L" put mn1 "$WORK/tree" /install
    ok "put over a mount point: exact" trees_same /install
    is "no temporary files stay" "" on mn1 find /srv /install -name '.lab-*'
    ok "put a file" "$L" put mn1 /bin/sleep /usr/local/bin/tool
    is "its mode and time" "$(stat -L -c '%a %Y' /bin/sleep)" on mn1 stat -c '%a %Y' /usr/local/bin/tool
    ok "put over a running program" keeps_running
    ok "put a file into a directory" "$L" put mn1 "$WORK/tree/setuid" /srv
    is "it has its name and mode" 6755 on mn1 stat -c %a /srv/setuid
    ok "links on the way lead to the host's files" "$L" put mn1 "$WORK/tree/setuid" /var/run/hamn-selftest
    ok "they did" on mn1 test -e /run/hamn-selftest
    no "not to the machine's" test -e /run/hamn-selftest
    ok "get a file" "$L" get mn1 /etc/hostname "$WORK/name"
    is "it is the host's" mn1 cat "$WORK/name"
    no "get: no such file" "$L" get mn1 /nowhere "$WORK/nothing"
    no "put: no such file" "$L" put mn1 /nowhere /srv/nothing
}
