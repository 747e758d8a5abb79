# shellcheck shell=bash
# The package layer: what apt-get adds to this machine's files when it is run in an
# overlay over them. Hosts lay it over / so the machine itself stays untouched.
# One file system image, because a lower layer must not lie inside another (ELOOP). Sourced by lab.

# Debian 12 names. Recommended packages are left out, rsyslog among them.
PACKAGES="openssh-server rsync cron iproute2 iputils-arping iputils-ping tcpdump nftables procps psmisc
 netcat-openbsd postgresql-15 mariadb-server sqlite3 bind9 bind9-dnsutils isc-dhcp-server isc-dhcp-client
 conserver-server corosync corosync-qdevice corosync-qnetd libnss3-tools pacemaker pacemaker-cli-utils
 resource-agents fiu-utils faketime dbus systemd-sysv python3 openssl
 libssh2-1 librsync2 libpoconet80 libpocofoundation80 libpq5 libmariadb3 libsqlite3-0 libzstd1 libxxhash0"

image_packages() {
    # shellcheck disable=SC2086  # a list of words
    printf '%s\n' $PACKAGES $PACKAGES_EXTRA | sort -u
}

# Whatever decides what is in the image decides its name.
image_key() {
    { image_packages; cat /etc/debian_version; dpkg --print-architecture
      cat "$HERE/lib/image.sh" "$HERE/lib/image-recipe"; } | sha256sum | cut -c1-12
}

machine_packages() {
    # shellcheck disable=SC2016  # dpkg's own variables
    dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n' | LC_ALL=C sort
}

# The layer rests on the machine's packages: it is usable while all of them are still
# there in the same version. New ones do no harm.
image_fresh() {
    [[ -s $1 && -s $1.base ]] &&
        [[ -z $(LC_ALL=C comm -23 "$1.base" <(machine_packages)) ]]
}

# Sets IMAGE to an image that fits, building it if need be.
cmd_image() {
    local lock
    IMAGE=$BASE/image-$(image_key).ext4
    mkdir -p "$BASE"
    exec {lock}> "$BASE/image.lock"
    flock -w 1800 "$lock" || die "another image build does not end" "see $BASE/image-build.log"
    if ! image_fresh "$IMAGE"; then
        say "building the package layer $IMAGE (a minute or two)"
        image_build "$IMAGE"
    fi
    exec {lock}>&-
}

image_build() {
    local image=$1 new=$1.new log=$BASE/image-build.log
    rm -f "$image" "$image.base" "$BASE"/image-*.new # also what an interrupted build left
    truncate -s 8G "$new"
    mkfs.ext4 -q -F -m 0 -E lazy_itable_init=1,lazy_journal_init=1 "$new"
    machine_packages > "$image.base.new"
    # Namespaces of its own: what a package starts in spite of policy-rc.d ends with the build,
    # and the machine's systemd and D-Bus sockets are out of reach.
    # shellcheck disable=SC2046  # a list of words
    if ! timeout -k 5 1700 unshare --mount --propagation private --uts --ipc --pid --fork --kill-child=KILL \
        bash "$HERE/lib/image-recipe" "$new" $(image_packages) > "$log" 2>&1 < /dev/null; then
        rm -f "$new" "$image.base.new"
        tail -n 15 "$log" >&2
        die "the package layer could not be built" "see $log"
    fi
    mv "$image.base.new" "$image.base"
    mv "$new" "$image"
    image_forget_old
}

# Two checkouts may need different images; more than three are old ones. A running lab
# has a link of its own to the one it uses.
image_forget_old() {
    local old
    find "$BASE" -maxdepth 1 -name 'image-*.ext4' -printf '%T@ %p\n' | sort -rn | tail -n +4 |
        while read -r _ old; do rm -f "$old" "$old.base"; done
}
