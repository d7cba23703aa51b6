#!/usr/bin/env bash
# A Ceph cluster on this machine, in one directory: monitors, a mgr with its
# metrics, and OSDs that each lie under a CRUSH host of their own.
#
#   cluster.sh DIR init          make it, start it, wait until it serves
#   cluster.sh DIR start|stop    all daemons; the data stay
#   cluster.sh DIR kill NAME     SIGKILL one daemon: mon.a, mgr.x, osd.1
#   cluster.sh DIR freeze NAME   SIGSTOP it; thaw lets it go on
#   cluster.sh DIR thaw NAME
#   cluster.sh DIR up NAME       start one daemon again
#   cluster.sh DIR wait [SECS]   until it is healthy and a client's bytes came back
#   cluster.sh DIR pool NAME     one more pool, with the users objects-NAME and judge-NAME
#   cluster.sh DIR gateway       start radosgw; prints its address and keys to export
#   cluster.sh DIR status        each daemon, its memory, and what Ceph says
#   cluster.sh DIR env           what to export, and how to use and stop it
#   cluster.sh DIR ceph ARGS...  the ceph command as the administrator
#   cluster.sh DIR guard         destroy it when standard input ends
#   cluster.sh DIR destroy       stop everything, remove the directory
#
# init reads BOGOPS_CEPH_MONS (3), BOGOPS_CEPH_OSDS (3), BOGOPS_CEPH_PGS (32) and
# BOGOPS_CEPH_OSD_SIZE (10G, sparse). Ports are chosen by it and kept.
set -euo pipefail
umask 077 # keys everywhere
unset CEPH_ARGS CEPH_CONF

die() {
	printf 'cluster.sh: %s\n' "$*" >&2
	exit 1
}

usage() {
	die "$1; wanted: cluster.sh DIR {init|start|stop|kill|freeze|thaw|up|wait|pool|gateway|status|env|ceph|guard|destroy} [NAME]"
}

node() { "$here/node.sh" "$dir" "$@"; }

# number NAME VALUE LEAST refuses what is no whole number of at least LEAST.
number() {
	if [[ ! $2 =~ ^[0-9]{1,9}$ ]] || ((10#$2 < $3)); then die "$1 is \"$2\", wanted a whole number from $3"; fi
}

# free_port prints a port that nothing listens on. It lies below those that the
# kernel gives to outgoing connections, so that it is still free after a stop.
free_port() {
	local port
	while :; do
		port=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
		case $taken in *" $port "*) continue ;; esac
		(: </dev/tcp/127.0.0.1/$port) 2>/dev/null || break
	done
	taken+="$port "
	REPLY=$port
}

init() {
	local mons=${BOGOPS_CEPH_MONS:-3} osds=${BOGOPS_CEPH_OSDS:-3} i hosts='' taken=' '
	number BOGOPS_CEPH_MONS "$mons" 1
	number BOGOPS_CEPH_OSDS "$osds" 3 # one host for each copy
	number BOGOPS_CEPH_PGS "${BOGOPS_CEPH_PGS:-32}" 1
	for i in ceph rados ceph-authtool monmaptool ceph-mon ceph-mgr ceph-osd; do
		command -v "$i" >/dev/null || die "$i is not installed: apt-get install ceph-mon ceph-mgr ceph-osd ceph-common"
	done
	[ ! -e "$dir/ceph.conf" ] || die "$dir holds a cluster already: start it, or destroy it first"
	trap kill_all EXIT # of a cluster half made only the logs are of use
	for ((i = 0; i < mons; i++)); do
		free_port
		hosts+="m$i=127.0.0.1:$REPLY "
	done
	free_port
	BOGOPS_CEPH_MON_HOSTS=$hosts BOGOPS_CEPH_ADDR=127.0.0.1 BOGOPS_CEPH_RGW_PORT=$REPLY node conf
	node keys
	each init $(seq -f 'mon.m%g' 0 $((mons - 1)))
	say 'monitors started'
	node ceph mon stat >/dev/null
	say 'monitors agree'
	free_port
	BOGOPS_CEPH_METRICS_PORT=$REPLY node init mgr.x &
	for ((i = 0; i < osds; i++)); do BOGOPS_CEPH_HOST=host$i node init "osd.$i" & done
	pool objects &
	for ((i = 0; i < osds + 2; i++)); do wait -n; done
	say 'daemons started'
	wait_ready 120
	trap - EXIT
}

# each COMMAND NAME... does it to all of them at once.
each() {
	local command=$1 name jobs=() job
	shift
	for name in "$@"; do
		node "$command" "$name" &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do wait "$job"; done
}

say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }

# pool makes a pool and its two users. Putting a client on the blocklist is what
# the platform needs of the monitors to be sure that a dead instance's writes
# are over; taking one off is not.
pool() {
	local name=$1 suffix=-$1 pgs=${BOGOPS_CEPH_PGS:-32}
	[[ $name =~ ^[a-z0-9]+$ ]] || die "pool got \"$name\", wanted a name of small letters and digits"
	[ "$name" != objects ] || suffix=
	node ceph osd pool create "$name" "$pgs" "$pgs" replicated --size 3 2>/dev/null
	node ceph osd pool set "$name" min_size 2 2>/dev/null
	node ceph osd pool application enable "$name" bogops 2>/dev/null
	node user "objects$suffix" osd "allow rwx pool=$name" \
		mon 'allow r, allow command "osd blocklist" with blocklistop=add addr regex "^[^/]+/[0-9]+$"'
	node user "judge$suffix" mon 'allow r' osd "allow r pool=$name"
}

# wait_ready asks for more than HEALTH_OK: after a start the monitors repeat what
# they knew before it, so a client's bytes have to come back too.
wait_ready() {
	local patience=${1:-60} end
	number wait "$patience" 1
	end=$((SECONDS + patience))
	while ((SECONDS < end)) && [ -e "$dir/ceph.conf" ]; do
		if healthy && round_trip; then
			say 'ready'
			return
		fi
		sleep 0.2
	done
	node ceph -s >&2 || true
	node ceph health detail >&2 || true
	die "$dir is not ready after $patience s"
}

healthy() {
	local status osds='"num_osds":([0-9]+),"num_up_osds":([0-9]+)' \
		clean='"pgs_by_state":\[\{"state_name":"active\+clean[a-z+_]*","count":([0-9]+)\}\],"num_pgs":([0-9]+)'
	status=$(BOGOPS_CEPH_PATIENCE=3 node ceph -s -f json 2>/dev/null) || return 1
	[[ $status == *'"health":{"status":"HEALTH_OK"'* ]] &&
		[[ $status =~ $osds ]] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] &&
		[[ $status =~ $clean ]] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

# round_trip writes, reads and removes an object with the platform's own key.
round_trip() {
	local bytes object=ready-$$
	bytes=$(</proc/sys/kernel/random/uuid)
	printf %s "$bytes" | as_objects put "$object" - && [ "$(as_objects get "$object" -)" = "$bytes" ] && as_objects rm "$object"
}

as_objects() {
	rados -c "$dir/ceph.conf" -n client.objects -k "$dir/keyring/objects" --rados_osd_op_timeout 3 -p objects -N ready "$@" 2>/dev/null
}

names() { node list | awk -v kind="^($1)[.]" '$1 ~ kind { print $1 }'; }

start() {
	# shellcheck disable=SC2046 # names have no spaces
	each start $(names 'mon|osd|mgr')
	wait_ready 120
}

# stop ends the gateway first and the monitors last: each needs the next.
stop() {
	local kind
	for kind in rgw osd mgr mon; do
		# shellcheck disable=SC2046
		each stop $(names $kind)
	done
}

gateway() {
	exec 9>"$dir/run/gateway.lock"
	flock 9
	local keys=$dir/keyring/gateway address turn
	address=$(sed -n 's/^rgw_frontends = beast endpoint=//p' "$dir/ceph.conf")
	{
		[ -e "$dir/data/rgw.g" ] || node init rgw.g
		node start rgw.g
	} 9>&-
	for ((turn = 0; ; turn++)); do
		(: </dev/tcp/"${address/:/\/}") 2>/dev/null && break
		((turn < 600)) || die "the gateway does not listen on $address after 60 s: $dir/log/client.rgw.g.log says why"
		sleep 0.1
	done
	[ -s "$keys" ] || gateway_user "$keys"
	printf 'export BOGOPS_RGW_ENDPOINT=http://%s\n' "$address"
	cat "$keys"
}

gateway_user() {
	radosgw-admin -c "$dir/ceph.conf" -n client.admin user create --uid bogops --display-name bogops 2>>"$dir/log/rgw.g.out" |
		sed -n -e 's/.*"access_key": "\(.*\)".*/export BOGOPS_RGW_ACCESS_KEY=\1/p' \
			-e 's/.*"secret_key": "\(.*\)".*/export BOGOPS_RGW_SECRET_KEY=\1/p' >"$1.new"
	grep -q SECRET "$1.new" || die "radosgw-admin made no user: $dir/log/rgw.g.out says why"
	mv "$1.new" "$1"
}

status() {
	node list
	node ceph -s
}

env() {
	cat <<-END
		# The tests find the cluster by this:
		export BOGOPS_CEPH=$dir
		# A server that stores in it, after make build:
		#   export BOGOPS_JUDGE_TOKEN=secret-of-the-judge
		#   bin/app --listen 127.0.0.1:8000 --admin-listen 127.0.0.1:9090 --store ceph:objects --ceph-conf $dir/ceph.conf --ceph-user objects --ceph-key-file $dir/keyring/objects
		# Ceph's own words, as the administrator and as the judge, who only reads:
		#   ceph -c $dir/ceph.conf -n client.admin -k $dir/keyring/admin status
		#   rados -c $dir/ceph.conf -n client.judge -k $dir/keyring/judge -p objects ls
		# Stop it and keep the data, or remove it all:
		#   $0 $dir stop
		#   $0 $dir destroy
	END
}

# guard outlives whoever holds the other end of its standard input, by just as
# long as it takes to destroy the cluster. Signals are not for it: Ctrl-C reaches
# the whole group of processes, and the cluster would stay.
guard() {
	trap '' INT TERM HUP
	cat >/dev/null
	[ -d "$dir" ] || exit 0
	destroy
	sleep 1 # what was just being made has noticed by now
	destroy
}

destroy() {
	kill_all
	rm -rf "$dir"
}

# kill_all looks for daemons by the cluster's own file in their arguments, again
# and again: one that is just being made may start another.
kill_all() {
	local found
	while :; do
		found=$({ grep -lzxF -- "$dir/ceph.conf" /proc/[0-9]*/cmdline |
			xargs -r grep -lzE '^(.*/)?(ceph-(mon|mgr|osd)|radosgw)$' | grep -o '[0-9]*'; } 2>/dev/null) || true
		[ -n "$found" ] || return 0
		# shellcheck disable=SC2086 # numbers
		kill -KILL $found 2>/dev/null || true
		sleep 0.1
	done
}

[ $# -ge 2 ] || usage "got $# arguments"
here=$(cd "$(dirname "$0")" && pwd)
command=$2
[ "$command" = init ] && mkdir -p "$1"
[ -d "$1" ] || die "\"$1\" is no directory; cluster.sh DIR init makes a cluster"
dir=$(cd "$1" && pwd)
shift 2
[[ $command =~ ^(init|guard|destroy)$ ]] || [ -e "$dir/ceph.conf" ] || die "$dir holds no cluster: cluster.sh DIR init makes one"
case $command in
init | start | stop | gateway | status | env | guard | destroy) "$command" ;;
wait) wait_ready "$@" ;;
pool) pool "${1:-}" ;;
up) node start "${1:-}" ;;
kill | freeze | thaw | ceph) node "$command" "$@" ;;
*) usage "got \"$command\"" ;;
esac
