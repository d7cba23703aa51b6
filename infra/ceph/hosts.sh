#!/usr/bin/env bash
# Three hosts with a Ceph cluster between them, and a client on a fourth: network
# namespaces of this machine, on a switch that is one too, so that nothing of it
# touches the machine's own network. Each host runs node.sh as a real one would.
# Wants root.
#
#   hosts.sh DIR init          h1, h2, h3: a monitor and an OSD each; a mgr on two
#   hosts.sh DIR cut HOST      pull its cable
#   hosts.sh DIR heal HOST     put it back
#   hosts.sh DIR on HOST ARGS... run a command there; the client is "client"
#   hosts.sh DIR guard         destroy it when standard input ends
#   hosts.sh DIR destroy
set -euo pipefail
umask 077 # keys everywhere
unset CEPH_ARGS CEPH_CONF
hosts=(h1 h2 h3 client)

die() {
	printf 'hosts.sh: %s\n' "$*" >&2
	exit 1
}

# namespace HOST is its name on this machine, which no other run has.
namespace() { printf 'bogops-%s-%s\n' "$(<"$dir/id")" "$1"; }

on() {
	local host=$1
	shift
	ip netns exec "$(namespace "$host")" "$@"
}

node() {
	local host=$1
	shift
	on "$host" "$here/node.sh" "$dir/$host" "$@"
}

wire() {
	local i host switch
	switch=$(namespace switch)
	ip netns add "$switch" || die 'no network namespace can be made here'
	ip -n "$switch" link add bridge type bridge
	ip -n "$switch" link set bridge up
	for i in "${!hosts[@]}"; do
		host=$(namespace "${hosts[i]}")
		ip netns add "$host"
		ip -n "$switch" link add "${hosts[i]}" type veth peer name eth0 netns "$host"
		ip -n "$switch" link set "${hosts[i]}" master bridge up
		ip -n "$host" address add "10.77.0.$((i + 1))/24" dev eth0
		ip -n "$host" link set eth0 up
		ip -n "$host" link set lo up
	done
}

init() {
	[ ! -e "$dir/id" ] || die "$dir holds hosts already"
	od -An -N4 -tx4 /dev/urandom | tr -d ' ' >"$dir/id"
	trap destroy_hosts EXIT # half of it is of no use
	wire
	local i host
	BOGOPS_CEPH_FSID=$(</proc/sys/kernel/random/uuid)
	BOGOPS_CEPH_MON_HOSTS='h1=10.77.0.1:3300 h2=10.77.0.2:3300 h3=10.77.0.3:3300'
	export BOGOPS_CEPH_FSID BOGOPS_CEPH_MON_HOSTS
	for i in "${!hosts[@]}"; do BOGOPS_CEPH_ADDR=10.77.0.$((i + 1)) node "${hosts[i]}" conf; done
	node h1 keys
	for host in h2 h3 client; do cp "$dir/h1/keyring/"{admin,mon} "$dir/$host/keyring/"; done
	for host in h1 h2 h3; do node "$host" init "mon.$host" & done
	for host in h1 h2 h3; do wait -n; done
	node h1 ceph mon stat >/dev/null
	node h1 init mgr.h1 &
	node h2 init mgr.h2 &
	for i in 0 1 2; do BOGOPS_CEPH_HOST=h$((i + 1)) node "h$((i + 1))" init "osd.$i" & done
	for i in 1 2 3 4 5; do wait -n; done
	on client "$here/cluster.sh" "$dir/client" pool objects
	on client "$here/cluster.sh" "$dir/client" wait 120
	trap - EXIT
}

# plug HOST up|down sets the port of the switch that the host hangs on.
plug() {
	[[ $1 =~ ^(h[123]|client)$ ]] || die "got \"$1\", wanted h1, h2, h3 or client"
	ip -n "$(namespace switch)" link set "$1" "$2"
}

# destroy_hosts ends what runs in the namespaces, and their names; the kernel
# takes the links away with them.
destroy_hosts() {
	[ -s "$dir/id" ] || return 0
	local name pids
	for name in "${hosts[@]}" switch; do
		name=$(namespace "$name")
		while pids=$(ip netns pids "$name" 2>/dev/null) && [ -n "$pids" ]; do
			# shellcheck disable=SC2086 # numbers
			kill -KILL $pids 2>/dev/null || true
			sleep 0.1
		done
		ip netns delete "$name" 2>/dev/null || true
	done
}

destroy() {
	destroy_hosts
	rm -rf "$dir"
}

# guard outlives whoever holds the other end of its standard input, by just as
# long as it takes to destroy everything.
guard() {
	trap '' INT TERM HUP
	cat >/dev/null
	[ ! -d "$dir" ] || destroy
}

[ $# -ge 2 ] || die "got $# arguments; wanted: hosts.sh DIR {init|cut|heal|on|guard|destroy} [HOST]"
[ "$(id -u)" = 0 ] || die 'network namespaces want root'
here=$(cd "$(dirname "$0")" && pwd)
[ "$2" != init ] || mkdir -p "$1"
[ -d "$1" ] || die "\"$1\" is no directory; hosts.sh DIR init makes it"
dir=$(cd "$1" && pwd)
command=$2
shift 2
case $command in
init | guard | destroy) "$command" ;;
cut) plug "${1:-}" down ;;
heal) plug "${1:-}" up ;;
on) on "$@" ;;
*) die "got \"$command\"; wanted: hosts.sh DIR {init|cut|heal|on|guard|destroy} [HOST]" ;;
esac
