#!/usr/bin/env bash
# One machine's part of a Ceph cluster, in one directory: no systemd, no
# containers, and nothing outside the directory.
#
#   node.sh DIR conf           write DIR/ceph.conf from the environment
#   node.sh DIR keys           make the cluster's first keys, on one machine; the
#                              others get copies of DIR/keyring/mon and /admin
#   node.sh DIR init NAME      make a daemon (mon.a, mgr.x, osd.0, rgw.g), start it
#   node.sh DIR start NAME     start a daemon made before
#   node.sh DIR stop NAME      let it end by itself
#   node.sh DIR kill NAME      SIGKILL, as a power cut does
#   node.sh DIR freeze NAME    SIGSTOP: it keeps its connections and says nothing
#   node.sh DIR thaw NAME      SIGCONT
#   node.sh DIR list           "NAME PID running|frozen|down RSS" for each daemon
#   node.sh DIR user NAME CAPS...   make a key, kept in DIR/keyring/NAME
#   node.sh DIR ceph ARGS...   the ceph command as the administrator
#
# conf reads:
#   BOGOPS_CEPH_MON_HOSTS  every monitor: "a=10.0.1.10:3300 b=10.0.2.10:3300"
#   BOGOPS_CEPH_FSID       the cluster's id, the same on all machines
#   BOGOPS_CEPH_ADDR       this machine's address (127.0.0.1)
#   BOGOPS_CEPH_OSD_SIZE   bytes of an OSD's sparse file (10G)
#   BOGOPS_CEPH_RGW_PORT   where a gateway here listens (7480)
# init of an OSD reads:
#   BOGOPS_CEPH_HOST       the CRUSH host it lies under (this machine's name)
#   BOGOPS_CEPH_DEVICE     a block device to use instead of a file
# init of a mgr reads:
#   BOGOPS_CEPH_METRICS_PORT  where its prometheus module listens (9283)
set -euo pipefail
umask 077 # keys everywhere
unset CEPH_ARGS CEPH_CONF

die() {
	printf 'node.sh: %s\n' "$*" >&2
	exit 1
}

usage() { die "$1; wanted: node.sh DIR {conf|keys|init|start|stop|kill|freeze|thaw|list|user|ceph} [NAME]"; }

conf() {
	[ ! -e "$conf" ] || die "$conf is there already"
	local size fsid=${BOGOPS_CEPH_FSID:-} addr=${BOGOPS_CEPH_ADDR:-127.0.0.1}
	size=$(numfmt --from=iec "${BOGOPS_CEPH_OSD_SIZE:-10G}" 2>/dev/null) ||
		die "BOGOPS_CEPH_OSD_SIZE is \"$BOGOPS_CEPH_OSD_SIZE\", wanted a size like 10G"
	[ -n "$fsid" ] || fsid=$(</proc/sys/kernel/random/uuid)
	local mon names='' hosts=''
	for mon in ${BOGOPS_CEPH_MON_HOSTS:-}; do
		[[ $mon =~ ^([a-z0-9]+)=([0-9.]+:[0-9]+)$ ]] ||
			die "BOGOPS_CEPH_MON_HOSTS has \"$mon\", wanted NAME=ADDRESS:PORT"
		names+=${names:+,}${BASH_REMATCH[1]}
		hosts+=${hosts:+,}"[v2:${BASH_REMATCH[2]}]"
	done
	[ -n "$names" ] || die 'BOGOPS_CEPH_MON_HOSTS is empty, wanted NAME=ADDRESS:PORT of every monitor'
	mkdir -p "$dir"/{run,log,crash,keyring,data}
	settings >"$conf.new"
	mv "$conf.new" "$conf"
}

# settings print the configuration. Not obvious: only the second protocol is
# spoken, so that a monitor needs one port. A silent OSD is down after 5 s, which
# the monitors must be told too: they hold against every report a grace of their
# own, 20 s. Recovery does not pause between objects, as it does by default on
# disks that turn. A gateway waits for its cluster for ever.
settings() {
	cat <<-END
		[global]
		fsid = $fsid
		mon_host = $hosts
		mon_initial_members = $names
		public_addr = $addr
		cluster_addr = $addr
		ms_bind_ipv6 = false
		ms_bind_msgr1 = false
		auth_allow_insecure_global_id_reclaim = false
		run_dir = $dir/run
		admin_socket = $dir/run/\$name.asok
		pid_file = $dir/run/\$name.pid
		log_file = $dir/log/\$name.log
		crash_dir = $dir/crash
		log_to_stderr = false
		err_to_stderr = true
		keyring = $dir/keyring/admin
		osd_pool_default_size = 3
		osd_pool_default_min_size = 2
		osd_pool_default_pg_num = 8
		osd_pool_default_pg_autoscale_mode = off
		osd_crush_chooseleaf_type = 1
		mon_allow_pool_delete = true
		mon_max_pg_per_osd = 500
		osd_heartbeat_grace = 5
		[client]
		admin_socket =
		log_file =
		client_mount_timeout = 10
		rados_mon_op_timeout = 10
		rados_osd_op_timeout = 30
		[mon]
		keyring = $dir/keyring/mon
		mon_data = $dir/data/mon.\$id
		mon_cluster_log_file = $dir/log/cluster.log
		mon_data_avail_warn = 2
		mon_data_avail_crit = 1
		mon_osd_min_down_reporters = 1
		mon_osd_adjust_heartbeat_grace = false
		mon_osd_down_out_interval = 600
		mgr_initial_modules = prometheus
		paxos_propose_interval = 0.1
		mon_tick_interval = 1
		mon_election_timeout = 2
		[mgr]
		mgr_data = $dir/data/mgr.\$id
		keyring = $dir/data/mgr.\$id/keyring
		mgr_tick_period = 1
		mgr_stats_period = 1
		[osd]
		osd_data = $dir/data/osd.\$id
		keyring = $dir/data/osd.\$id/keyring
		osd_objectstore = bluestore
		bluestore_block_size = $size
		osd_memory_target = 939524096
		osd_heartbeat_interval = 1
		osd_recovery_sleep_hdd = 0
		osd_recovery_sleep_ssd = 0
		osd_recovery_sleep_hybrid = 0
		osd_recovery_max_active = 32
		osd_max_backfills = 8
		[client.rgw.g]
		keyring = $dir/keyring/rgw.g
		rgw_data = $dir/data/rgw.g
		rgw_frontends = beast endpoint=$addr:${BOGOPS_CEPH_RGW_PORT:-7480}
		rgw_rados_pool_pg_num_min = 8
		admin_socket = $dir/run/\$name.\$pid.asok
		log_file = $dir/log/\$name.log
		client_mount_timeout = 300
		rados_mon_op_timeout = 0
		rados_osd_op_timeout = 0
	END
}

keys() {
	[ ! -e "$dir/keyring/admin" ] || die "$dir/keyring/admin is there already"
	ceph-authtool --create-keyring "$dir/keyring/admin" --gen-key -n client.admin \
		--cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
	ceph-authtool --create-keyring "$dir/keyring/mon" --gen-key -n mon. --cap mon 'allow *' >/dev/null
	ceph-authtool "$dir/keyring/mon" --import-keyring "$dir/keyring/admin" >/dev/null
}

admin() {
	local patience=${BOGOPS_CEPH_PATIENCE:-60} # seconds; each of the two ends the wait
	ceph -c "$conf" -n client.admin -k "$dir/keyring/admin" --connect-timeout "$patience" --client_mount_timeout "$patience" "$@"
}

user() {
	local name=$1
	shift
	admin auth get-or-create "client.$name" "$@" -o "$dir/keyring/$name" >/dev/null
}

# quietly keeps what a command says for the day it fails.
quietly() {
	"$@" </dev/null >>"$dir/log/$name.out" 2>&1 || {
		tail -n 5 "$dir/log/$name.out" >&2
		die "$name does not start: $dir/log/$name.out and .log say why"
	}
}

init() {
	"init_${name%%.*}" # not before "&&", where a failure inside it would go on
	start
}

init_mon() {
	local names hosts i args=()
	IFS=, read -ra names <<<"$(setting mon_initial_members)"
	IFS=, read -ra hosts <<<"$(setting mon_host)"
	for i in "${!names[@]}"; do args+=(--addv "${names[i]}" "${hosts[i]}"); done
	local map=$dir/data/monmap.$id
	quietly monmaptool --create --clobber --fsid "$(setting fsid)" --enable-all-features --set-min-mon-release pacific "${args[@]}" "$map"
	quietly ceph-mon -c "$conf" -n "$name" --mkfs --monmap "$map" --keyring "$dir/keyring/mon"
	rm "$map"
}

setting() { sed -n "s/^$1 = //p" "$conf" | head -n 1; }

init_mgr() {
	mkdir -p "$dir/data/$name"
	# --force: no mgr is there yet that would know these options.
	admin config set mgr mgr/devicehealth/enable_monitoring false --force
	admin config set mgr "mgr/prometheus/$id/server_addr" "$(setting public_addr)" --force
	admin config set mgr "mgr/prometheus/$id/server_port" "${BOGOPS_CEPH_METRICS_PORT:-9283}" --force
	admin auth get-or-create "$name" mon 'allow profile mgr' osd 'allow *' mds 'allow *' -o "$dir/data/$name/keyring"
}

init_osd() {
	local data=$dir/data/$name uuid key
	local device=()
	[ -z "${BOGOPS_CEPH_DEVICE:-}" ] || device=(--bluestore_block_path "$BOGOPS_CEPH_DEVICE")
	mkdir -p "$data"
	printf '%s\n' "${BOGOPS_CEPH_HOST:-$(hostname -s)}" >"$data/crush_host"
	uuid=$(</proc/sys/kernel/random/uuid)
	key=$(ceph-authtool --gen-print-key)
	# The key goes in by standard input: arguments can be read by everybody.
	printf '{"cephx_secret":"%s"}' "$key" | admin osd new "$uuid" "$id" -i - >/dev/null
	printf '[%s]\n\tkey = %s\n' "$name" "$key" >"$data/keyring"
	quietly ceph-osd -c "$conf" -n "$name" --mkfs --osd-uuid "$uuid" "${device[@]}"
}

init_rgw() {
	mkdir -p "$dir/data/$name"
	admin auth get-or-create "client.$name" mon 'allow rw' osd 'allow rwx' mgr 'allow rw' -o "$dir/keyring/$name"
}

start() {
	[ -z "$(pid "$name")" ] || return 0
	[ -e "$dir/data/$name" ] || die "$name was never made here: node.sh DIR init $name"
	case $name in
	mon.*) quietly ceph-mon -c "$conf" -n "$name" ;;
	mgr.*) quietly ceph-mgr -c "$conf" -n "$name" ;;
	osd.*) quietly ceph-osd -c "$conf" -n "$name" --crush_location "root=default host=$(<"$dir/data/$name/crush_host")" ;;
	rgw.*) quietly radosgw -c "$conf" -n "client.$name" ;;
	esac
}

# pid finds a daemon by its arguments: a file with a number in it may be older
# than the process that has the number now.
pid() {
	local file who=$1
	[[ $who != rgw.* ]] || who=client.$who
	grep -lzxF -- "$conf" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		if grep -qzxF -- "$who" "$file" && grep -qzE '^(.*/)?(ceph-(mon|mgr|osd)|radosgw)$' "$file"; then
			file=${file#/proc/}
			printf '%s\n' "${file%/cmdline}"
		fi
	done 2>/dev/null || true
}

# signal is no error where the process ends at this very moment.
signal() {
	local pids
	pids=$(pid "$name")
	# shellcheck disable=SC2086 # one number, or two while it forks
	[ -z "$pids" ] || kill "-$1" $pids 2>/dev/null || true
}

running() { [ -n "$(pid "$name")" ] || die "$name does not run"; }

# stop waits until the process is gone. A gateway whose cluster does not answer
# never ends by itself, and holds nothing that could be lost.
stop() {
	[ -n "$(pid "$name")" ] || return 0
	local turn patience=300
	[[ $name != rgw.* ]] || patience=50
	signal TERM && signal CONT # a frozen process does not hear TERM
	for ((turn = 0; turn < patience; turn++)); do
		[ -n "$(pid "$name")" ] || return 0
		sleep 0.1
	done
	[[ $name == rgw.* ]] || die "$name still runs, $((patience / 10)) s after it was told to end"
	signal KILL && gone
}
gone() { while [ -n "$(pid "$name")" ]; do sleep 0.05; done; }

list() {
	local path who number state
	for path in "$dir"/data/*.*/; do
		[ -d "$path" ] || continue
		who=$(basename "$path")
		number=$(pid "$who" | head -n 1)
		[ -n "$number" ] || printf '%s - down -\n' "$who"
		[ -n "$number" ] || continue
		state=running
		grep -q '^State:.*stopped' "/proc/$number/status" 2>/dev/null && state=frozen
		printf '%s %s %s %s MiB\n' "$who" "$number" "$state" "$(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$number/status" 2>/dev/null)"
	done
}

[ $# -ge 2 ] || usage "got $# arguments"
[ "$2" != conf ] || mkdir -p "$1"
[ -d "$1" ] || die "\"$1\" is no directory; node.sh DIR conf makes it"
dir=$(cd "$1" && pwd)
conf=$dir/ceph.conf
command=$2
shift 2
[ "$command" = conf ] || [ -e "$conf" ] || die "$conf is not there: node.sh DIR conf writes it"
case $command in
init | start | stop | kill | freeze | thaw)
	name=${1:-}
	[[ $name =~ ^(mon|mgr|osd|rgw)\.([a-z0-9]+)$ ]] || die "$command got \"$name\", wanted a daemon like mon.a, mgr.x, osd.0 or rgw.g"
	id=${BASH_REMATCH[2]}
	;;
esac
case $command in
conf | keys | list | init | start | stop) "$command" ;;
user) user "$@" ;;
ceph) admin "$@" ;;
kill) running && signal KILL && gone ;;
freeze) running && signal STOP ;;
thaw) running && signal CONT ;;
*) usage "got \"$command\"" ;;
esac
