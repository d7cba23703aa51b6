#!/usr/bin/env bash
# A Concourse on this machine, in one directory: PostgreSQL, a web node and a
# worker on containerd, in namespaces and cgroups of their own. Wants root.
#
#   ci.sh DIR start        make it, start it, wait until a task has run
#   ci.sh DIR stop         end everything; what Concourse knows stays
#   ci.sh DIR lose         end the worker as a power cut does
#   ci.sh DIR bring        a new worker, with nothing cached, in its place
#   ci.sh DIR user NAME    a local user; the bcrypt hash is read from standard input
#   ci.sh DIR fly ARGS...  fly as the administrator, logged in to the team main
#   ci.sh DIR on ARGS...   run a command in its network
#   ci.sh DIR status       what runs, and the workers that Concourse sees
#   ci.sh DIR env          what to export, and how to use and stop it
#   ci.sh DIR guard        destroy it when standard input ends
#   ci.sh DIR destroy      end everything, remove the directory
#
# The first start reads, and keeps:
#   BOGOPS_CONCOURSE_BIN     where concourse, fly and init are; in the source tree
#   BOGOPS_CONCOURSE_TYPES   and the base resource types, it builds what is not given
#   BOGOPS_CONCOURSE_FAST    1: PostgreSQL does not wait for the disk
#   BOGOPS_CONCOURSE_NAME    serve HTTPS on port 443 inside, as https://NAME, with
#   BOGOPS_CONCOURSE_CERT, _KEY             these PEM files, or
#   BOGOPS_CONCOURSE_ACME, _ACME_ROOT       this ACME directory, and its own root
set -euo pipefail
umask 077 # keys everywhere

die() {
	printf 'ci.sh: %s\n' "$*" >&2
	exit 1
}

usage() {
	die "$1; wanted: ci.sh DIR {start|stop|lose|bring|user|fly|on|status|env|guard|destroy} [ARGS]"
}

say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }

# patiently SECONDS COMMAND... asks again and again; a service that ended is no
# use waiting for.
patiently() {
	local end=$((SECONDS + $1)) service
	shift
	until "$@"; do
		for service in "${!services[@]}"; do
			kill -0 "${services[$service]}" 2>/dev/null ||
				die "$service ended: $(tail -n 3 "$dir/log/$service.log" | cut -c1-600)"
		done
		((SECONDS < end)) || die "$* is not true after its time; $dir/log says why"
		sleep 0.05
	done
}

# make writes what the first start decides.
make() {
	local name port i
	# In the source tree both can be made.
	[ -n "${BOGOPS_CONCOURSE_BIN:-}" ] || [ ! -d "$here/build" ] || BOGOPS_CONCOURSE_BIN=$("$here/build/build.sh")
	if [ -z "${BOGOPS_CONCOURSE_TYPES:-}" ] && [ -d "$here/types" ]; then
		BOGOPS_CONCOURSE_TYPES=$dir/types
		"$here/types/build.sh" "$dir/types" >&2
	fi
	for name in BIN TYPES; do
		i=BOGOPS_CONCOURSE_$name
		[ -d "${!i:-}" ] || die "$i is \"${!i:-}\", wanted a directory; the head of this script says whose"
	done
	[ -x "$BOGOPS_CONCOURSE_BIN/init" ] || die "BOGOPS_CONCOURSE_BIN is \"$BOGOPS_CONCOURSE_BIN\", wanted what build/build.sh prints"
	for name in containerd containerd-shim-runc-v2 runc iptables ip nsenter unshare setpriv curl; do
		command -v "$name" >/dev/null || missing "$name"
	done
	[ -x /usr/lib/cni/bridge ] || missing /usr/lib/cni/bridge
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing PostgreSQL
	mkdir -p "$dir"/{keys,run,log,pg,work,fly,ready,tmp}
	chmod 711 "$dir" "$dir/bin" "$dir/pg" "$dir/work" "$dir/tmp" # for other users: PostgreSQL, and root in a container
	id=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	free_port
	port=$REPLY
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$dir/keys/admin"
	: >"$dir/keys/users"
	certificates
	task
	{
		printf '%s=%q\n' id "$id" port "$port" bin "$(realpath "$BOGOPS_CONCOURSE_BIN")" types "$(realpath "$BOGOPS_CONCOURSE_TYPES")" \
			fast "${BOGOPS_CONCOURSE_FAST:-}" name "${BOGOPS_CONCOURSE_NAME:-}" acme "${BOGOPS_CONCOURSE_ACME:-}"
	} >"$dir/settings.new"
	mv "$dir/settings.new" "$dir/settings"
}

missing() {
	die "$1 is not there: apt-get install --no-install-recommends containerd runc iptables containernetworking-plugins iproute2 curl postgresql git ca-certificates"
}

# free_port prints a port that nothing listens on here. Concourse takes it in its
# own network; whoever forwards to it from outside is asked to take the same one.
free_port() {
	while :; do
		REPLY=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
		(: </dev/tcp/127.0.0.1/$REPLY) 2>/dev/null || break
	done
}

certificates() {
	[ -n "${BOGOPS_CONCOURSE_NAME:-}" ] || return 0
	if [ -n "${BOGOPS_CONCOURSE_ACME:-}" ]; then
		[ -z "${BOGOPS_CONCOURSE_ACME_ROOT:-}" ] || cp "$BOGOPS_CONCOURSE_ACME_ROOT" "$dir/keys/acme.pem"
		return
	fi
	[[ -e ${BOGOPS_CONCOURSE_CERT:-} && -e ${BOGOPS_CONCOURSE_KEY:-} ]] ||
		die "BOGOPS_CONCOURSE_NAME is \"$BOGOPS_CONCOURSE_NAME\", wanted BOGOPS_CONCOURSE_CERT and _KEY, or _ACME, too"
	cp "$BOGOPS_CONCOURSE_CERT" "$dir/keys/tls.crt"
	cp "$BOGOPS_CONCOURSE_KEY" "$dir/keys/tls.key"
}

# task is the smallest there is. Its root is that of a container's user
# namespace: Concourse maps root to the last user but one.
task() {
	cp "$BOGOPS_CONCOURSE_BIN/init" "$dir/ready/init"
	chmod 755 "$dir/ready" "$dir/ready/init"
	chown -hR 4294967294:4294967294 "$dir/ready"
	printf '{platform: linux, rootfs_uri: "raw:///run/concourse/ready", run: {path: /init, args: [ready]}}\n' >"$dir/ready.yml"
}

keys() {
	[ ! -e "$dir/keys/ready" ] || return 0
	"$bin/concourse" generate-key -t rsa -b 2048 -f "$dir/keys/session" &
	"$bin/concourse" generate-key -t ssh -b 2048 -f "$dir/keys/tsa" &
	wait -n && wait -n
	"$bin/concourse" generate-key -t ssh -b 2048 -f "$dir/keys/worker"
	touch "$dir/keys/ready"
} >/dev/null

start() {
	mkdir -p "$dir/bin"
	printf '%s %s\n' $$ "$(born $$)" >"$dir/starting"
	[ "$here" = "$dir/bin" ] || cp "$here/"{ci.sh,inside.sh,rbac.yml} "$dir/bin/"
	[ -e "$dir/settings" ] || make
	settings
	! runs || die "$dir runs already"
	trap 'kill_all ""' EXIT # half of it is of no use; the logs stay
	rm -f "$dir/run/pid"
	spawn hold services unshare --net --mount --ipc --pid --fork --propagation slave bash "$dir/bin/inside.sh" hold "$dir"
	patiently 30 test -s "$dir/run/pid"
	service postgres services
	keys
	service web services
	patiently 120 answers
	say 'the API answers'
	hasten
	worker
	login
	patiently 120 has_worker
	say 'a worker runs'
	on "$bin/fly" -t main execute -c "$dir/ready.yml" >"$dir/log/ready.log" 2>&1 ||
		die "no task can run: $(tail -n 3 "$dir/log/ready.log")"
	say 'ready'
	rm "$dir/starting"
	trap - EXIT
}

answers() { on curl -sf -o "$dir/run/info" "http://127.0.0.1:$port/api/v1/info"; }

# login is fly's, which takes the password only as an argument: every user of the
# machine could read it.
login() {
	local reply
	reply=$(on curl -sSf --config - "http://127.0.0.1:$port/sky/issuer/token" <<-END
		user = "fly:Zmx5"
		data = "grant_type=password&username=admin&password=$(<"$dir/keys/admin")&scope=openid+profile+email+federated:id+groups"
	END
	)
	[[ $reply =~ \"access_token\":\"([^\"]+)\" ]] || die 'the login of admin gives no token'
	printf 'targets: {main: {api: "http://127.0.0.1:%s", team: main, token: {type: bearer, value: "%s"}}}\n' \
		"$port" "${BASH_REMATCH[1]}" >"$dir/fly/.flyrc"
}

has_worker() { [[ $(fly workers 2>/dev/null) =~ worker-$(<"$dir/run/worker")[[:space:]].*running ]]; }

# hasten has the scheduler look every second. Its ten are no setting of
# Concourse's, only a row that the web node writes when it starts.
hasten() {
	query <<<"update components set interval = '1s' where name in ('scheduler', 'tracker', 'scanner', 'collector_workers')"
}

query() { on psql -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -U concourse "$@" concourse; }

# spawn NAME GROUP COMMAND... starts a process of its own session in the cgroup.
spawn() {
	local name=$1 group=$2
	shift 2
	(
		exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- # whose end somebody may wait for
		join "$group"
		exec setsid "$@"
	) </dev/null >>"$dir/log/$name.log" 2>&1 &
	services[$name]=$!
}

# service NAME GROUP [COMMAND...] starts one of inside.sh, in all the namespaces.
service() {
	spawn "$1" "$2" nsenter --net --mount --ipc --pid --target "$(<"$dir/run/pid")" -- "${@:3}" bash "$dir/bin/inside.sh" "$1" /run/concourse
}

# worker starts the next one. Its mounts are a namespace of their own, so that
# they are gone with it; its view of the cgroups ends at its own.
worker() {
	local number=0
	[ ! -e "$dir/run/worker" ] || number=$(<"$dir/run/worker")
	rm -rf "$dir/work/"*
	echo $((number + 1)) >"$dir/run/worker"
	service worker worker unshare --mount --cgroup --propagation private
}

lose() {
	runs || die "$dir does not run"
	kill_all worker
	services=()
	patiently 60 lost
}

lost() { ! has_worker; }

bring() {
	runs || die "$dir does not run"
	[ -z "$(members worker)" ] || die "worker-$(<"$dir/run/worker") runs"
	worker
	patiently 120 has_worker
}

# user adds one to the users given to the web node, and to those that it put
# into its table when it started.
user() {
	[[ ${1:-} =~ ^[a-z0-9][a-z0-9._-]{0,63}$ ]] || die "user got \"${1:-}\", wanted small letters, digits, dots, dashes"
	local name=$1 hash
	read -r hash || true
	[[ $hash =~ ^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$ ]] || die "the hash of $name is not one of bcrypt"
	(
		flock 9
		{
			grep -v "^$name:" "$dir/keys/users" || true
			printf '%s:%s\n' "$name" "$hash"
		} >"$dir/keys/users.new"
		mv "$dir/keys/users.new" "$dir/keys/users"
	) 9>"$dir/run/users.lock"
	query -v name="$name" -v hash="$hash" <<-'END'
		insert into password (email, hash, username, user_id) values (:'name', convert_to(:'hash', 'UTF8'), :'name', :'name')
			on conflict (email) do update set hash = excluded.hash
	END
}

fly() { on "$bin/fly" -t main "$@"; }

status() {
	runs || die "$dir does not run"
	local pid
	for pid in $(members ''); do
		printf '%7d  %6d KiB  %s\n' "$pid" "$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-70)"
	done 2>/dev/null
	fly workers
}

env() {
	cat <<-END
		# The tests find it by this:
		export BOGOPS_CONCOURSE=$dir
		# fly as the administrator, in its network:
		#   $dir/bin/ci.sh $dir fly pipelines
		# Its API on this machine, until Ctrl-C, at http://127.0.0.1:$port; the administrator's
		# name is admin, the password is in $dir/keys/admin:
		#   go run ./infra/concourse/forward $dir
		# Stop it and keep what it knows, or remove it all:
		#   $dir/bin/ci.sh $dir stop
		#   $dir/bin/ci.sh $dir destroy
	END
}

# guard outlives whoever holds the other end of its standard input, by just as
# long as it takes to destroy everything. Signals are not for it: Ctrl-C reaches
# the whole group of processes, and Concourse would stay.
guard() {
	trap '' INT TERM HUP
	cat >/dev/null
	[ -d "$dir" ] || exit 0
	destroy
	sleep 1 # what was just being made has noticed by now
	destroy
}

# stop is a power cut too: the web node has nothing to lose, the worker waits an
# hour for its containers, and PostgreSQL is made for it: what it told anybody
# it has given to the kernel, fsync or not.
stop() {
	kill_all ''
	rm -f "$dir/run/pid" "$dir/run/info"
	rm -rf "$dir/work/"*
}

destroy() {
	interrupt
	[ ! -e "$dir/settings" ] || settings
	[ -z "$id" ] || kill_all ''
	rm -rf "$dir"
}

# born PROCESS prints when it began: with its number, that is no other process.
born() {
	local fields
	read -ra fields <"/proc/$1/stat"
	printf '%s\n' "${fields[21]}"
} 2>/dev/null

# interrupt ends a start that is under way, whose caller may be gone.
interrupt() {
	local starter when group
	[ -s "$dir/starting" ] || return 0
	read -r starter when <"$dir/starting"
	[ "$(born "$starter")" = "${when:-unknown}" ] || return 0
	read -r _ _ _ _ group _ <"/proc/$starter/stat"
	[ "$group" != "$starter" ] || starter=-$group # with all that it runs just now
	kill -KILL -- "$starter" || true
} 2>/dev/null

runs() { [ -s "$dir/run/pid" ] && [ -n "$(members services)" ]; }

# The cgroups: one name of ours in each hierarchy, with "services" and "worker"
# below. Whatever is started here is in them, so they tell what is to be ended.

# hierarchies prints our directory in each.
hierarchies() {
	local mount
	sed -nE 's#^([^ ]+ ){4}([^ ]+) .* - cgroup2? .*#\2#p' /proc/self/mountinfo | sort -u |
		while read -r mount; do printf '%s/bogops-concourse-%s\n' "$mount" "$id"; done
}

# join GROUP moves this process.
join() {
	local root at part file
	for root in $(hierarchies); do
		at=$(dirname "$root")
		for part in "$(basename "$root")" ${1//// }; do
			at+=/$part
			mkdir -p "$at" 2>/dev/null || continue 2 # not for us, like a hierarchy of another container
			for file in cpuset.cpus cpuset.mems; do # empty ones take no process (cgroups version 1)
				if [ -e "$at/$file" ] && [ -e "$at/cgroup.clone_children" ]; then cat "$(dirname "$at")/$file" >"$at/$file"; fi
			done
			# A group weighs as much as one process beside it, and this is many.
			[ ! -e "$at/cpu.shares" ] || echo 8192 >"$at/cpu.shares"
		done
		echo "$BASHPID" >"$at/cgroup.procs"
	done
}

# members GROUP prints the processes of it, as this machine numbers them.
members() {
	local root
	for root in $(hierarchies); do
		[ ! -d "$root/$1" ] || find "$root/$1" -name cgroup.procs -exec cat {} + 2>/dev/null
	done | sort -un
}

# kill_all GROUP ends them, again and again: one may be starting another. With
# the last one its namespaces go, and with them mounts and links.
kill_all() {
	local pids root turn
	for ((turn = 0; turn < 600; turn++)); do
		pids=$(members "$1")
		# shellcheck disable=SC2086 # numbers
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
		for root in $(hierarchies); do
			[ ! -d "$root/$1" ] || find "$root/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
		done
		for root in $(hierarchies); do [ ! -d "$root/$1" ] || continue 2; done
		return 0
	done
	die "these do not end: $(members "$1" | tr '\n' ' ')"
}

# on runs a command in its network; files stay those of this machine.
on() { HOME=$dir/fly nsenter --net --target "$(<"$dir/run/pid")" -- "$@"; }

settings() {
	# shellcheck disable=SC2034 # of inside.sh
	local fast name acme types
	# shellcheck source=/dev/null
	. "$dir/settings"
}

[ $# -ge 2 ] || usage "got $# arguments"
[ "$(id -u)" = 0 ] || die 'namespaces want root'
here=$(cd "$(dirname "$0")" && pwd)
command=$2
[ "$command" = start ] && mkdir -p "$1"
[ -d "$1" ] || die "\"$1\" is no directory; ci.sh DIR start makes it"
dir=$(cd "$1" && pwd)
shift 2
declare -A services=() # those started here, by name
id='' port='' bin='' # what settings gives
[[ $command =~ ^(start|guard|destroy)$ ]] || [ -e "$dir/settings" ] || die "$dir holds no Concourse: ci.sh DIR start makes one"
case $command in
start | guard | destroy) ;;
*) settings ;;
esac
case $command in
start | stop | lose | bring | user | fly | on | status | env | guard | destroy) "$command" "$@" ;;
*) usage "got \"$command\"" ;;
esac
