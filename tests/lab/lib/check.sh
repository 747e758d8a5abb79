# shellcheck shell=bash
# Can this machine run a lab? Features are tried, not looked up: a kernel may have
# them as modules, and a container may forbid what its kernel offers. Sourced by lab.

check_tools() {
    local pair missing=()
    for pair in unshare:util-linux nsenter:util-linux setpriv:util-linux losetup:util-linux \
        mount:mount flock:util-linux setsid:util-linux ip:iproute2 tc:iproute2 \
        mkfs.ext4:e2fsprogs /usr/bin/python3:python3 find:findutils \
        sha256sum:coreutils apt-get:apt dpkg-query:dpkg; do
        command -v "${pair%%:*}" > /dev/null || missing+=("$pair")
    done
    if (( ${#missing[@]} )); then
        die "missing commands: ${missing[*]%%:*}" \
            "apt-get install $(printf '%s\n' "${missing[@]##*:}" | sort -u | xargs)"
    fi
}

check_kernel() {
    check_namespaces
    check_cgroups
    check_loops
}

check_namespaces() {
    local said
    said=$(unshare --mount --net --uts --ipc --cgroup --pid --fork --kill-child=KILL true 2>&1) ||
        die "cannot create namespaces: $said" "in a container: run it with --privileged"
    said=$(unshare --mount --propagation private bash -euc '
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work,redirect_dir=on,index=off,metacopy=off \
            overlay /mnt/root' 2>&1) ||
        die "cannot mount an overlay over /: $said" \
            "needs CAP_SYS_ADMIN and the overlay module; / may itself be at most one overlay deep"
    said=$(unshare --net bash -euc '
        ip link add br0 type bridge
        ip link add port type veth peer name eth0
        ip link set port master br0' 2>&1) ||
        die "cannot create a bridge with a port: $said" "needs CAP_NET_ADMIN and the modules bridge and veth"
}

check_cgroups() {
    local made= fits=1
    [[ -n $CGROUPS ]] ||
        die "no cgroup2 hierarchy is mounted; hosts are frozen and killed through it" \
            "mkdir -p /sys/fs/cgroup/unified; mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
    # the lab's own group, so that "down" removes it whatever happens here
    if [[ ! -d $LABGROUP ]]; then
        mkdir "$LABGROUP" 2> /dev/null ||
            die "cannot create a group in $CGROUPS" "in a container: run it with --privileged"
        made=1
    fi
    [[ -w $LABGROUP/cgroup.kill && -w $LABGROUP/cgroup.freeze ]] || fits=
    [[ -z $made ]] || rmdir "$LABGROUP"
    [[ -n $fits ]] || die "this kernel's cgroup2 lacks cgroup.kill or cgroup.freeze" "needs Linux 5.14 or newer"
}

check_loops() {
    local said
    # shellcheck disable=SC2016  # expanded by the inner shell
    said=$(unshare --mount --propagation private bash -euc '
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/dir
        truncate -s 1M /mnt/file
        mkfs.ext4 -q -F -O ^has_journal /mnt/file
        "$1" mount ro /mnt/file /mnt/dir' probe "$HERE/lib/disk" 2>&1) ||
        die "cannot mount a file: $said" \
            "needs Linux 5.8, the modules loop and ext4, and /dev/loop*; in a container: --privileged"
}
