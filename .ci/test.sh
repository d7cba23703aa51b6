#!/usr/bin/env bash
# Every test of the repository, part after part. A part that fails does not
# stop the next one; the last line counts them all. As root it first installs
# what is missing; otherwise it runs what can be run, and names what it left
# out. With CI=true a part left out is a failure: nothing is skipped in silence.
set -euo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
left=() # "part: why", in the order met
building='' image='' # process ids of what is built beside the parts
scratch=$(mktemp -d)
trap clean EXIT
trap 'exit 130' INT # without these two a signal leaves the directory behind
trap 'exit 143' TERM
# clean leaves neither a directory nor a daemon behind.
clean() {
	if [ -n "$building" ]; then
		kill -- -"$building" 2>/dev/null || true
		wait "$building" 2>/dev/null || true
	fi
	if [ -n "$image" ]; then
		kill "$image" 2>/dev/null || true # it ends what it started
		wait "$image" 2>/dev/null || true
	fi
	[ ! -x "$scratch/concourse/bin/ci.sh" ] || "$scratch/concourse/bin/ci.sh" "$scratch/concourse" destroy
	[ ! -d "$scratch/ceph" ] || infra/ceph/cluster.sh "$scratch/ceph" destroy
	rm -rf "$scratch"
}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
axe_version=4.14.1
schemathesis_version=4.32.5
moto_version=5.2.5

# part NAME COMMAND... runs one part and says how long it took. A command that
# counts for itself (counted) changes passed and failed on its own.
part() {
	local name=$1 begun=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	"$@"
	printf '== %s: %d s\n' "$name" $((SECONDS - begun))
}

# one COMMAND... counts as one test.
one() {
	if "$@"; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		printf 'FAIL %s\n' "$*"
	fi
}

# counted COMMAND... prints `go test -json`, and its tests are counted.
counted() {
	local line
	"$@" | "$scratch/tally" "$scratch/counts" || true
	if [ ! -s "$scratch/counts" ]; then
		failed=$((failed + 1))
		return
	fi
	{
		read -r line
		passed=$((passed + ${line% *}))
		failed=$((failed + ${line#* }))
		while read -r line; do left+=("$line"); done
	} <"$scratch/counts"
	rm -f "$scratch/counts"
}

has() { command -v "$1" >/dev/null 2>&1; }

# install brings what is missing, and takes no time where nothing is.
install() {
	local missing=()
	has gcc || missing+=(gcc libc6-dev) # the race detector links with it
	[ -e /usr/include/rados/librados.h ] || missing+=(librados-dev)
	if ! has ceph-osd || ! has ceph-mon || ! has ceph-mgr || ! has ceph; then
		missing+=(ceph-mon ceph-mgr ceph-osd ceph-common)
	fi
	has radosgw || missing+=(radosgw)
	has ip || missing+=(iproute2) # hosts as network namespaces
	has git || missing+=(git)
	has python3 || missing+=(python3)
	python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
	has strace || missing+=(strace)
	has chromium || missing+=(chromium)
	has spin || missing+=(spin)
	has dockerd || missing+=(docker.io)
	has docker-compose || missing+=(docker-compose)
	has debootstrap || missing+=(debootstrap)
	has curl || missing+=(curl)
	has npm || missing+=(npm)
	[ -n "$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ] || missing+=(postgresql)
	has containerd || missing+=(containerd)
	has runc || missing+=(runc)
	has iptables || missing+=(iptables)
	[ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
	# Images of tasks are made of packages: a program from elsewhere will not do.
	local package
	for package in bash ca-certificates coreutils curl diffutils findutils gcc git gzip hostname jq libc6-dev make mawk netbase openssl procps sed tar util-linux xz-utils; do
		dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		if [ "$(id -u)" = 0 ] && has apt-get; then
			printf 'installing %s\n' "${missing[*]}"
			packages "${missing[@]}" >"$scratch/apt.log" 2>&1 || tail -n 20 "$scratch/apt.log"
		else
			printf 'not installed, and only root on Debian or Ubuntu can: %s\n' "${missing[*]}"
		fi
	fi
	axe
	schemathesis
	moto
}

# packages come by apt. None may start a service on its own: the tests start
# what they need and stop it again.
packages() {
	local policy=/usr/sbin/policy-rc.d ours=
	if [ ! -e "$policy" ]; then
		ours=$policy
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	local code=0
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" || code=$?
	[ -z "$ours" ] || rm -f "$ours"
	return "$code"
}

# axe fetches axe-core, which the tests of the wall find by BOGOPS_AXE.
axe() {
	local home=$cache/axe-core-$axe_version
	local script=$home/node_modules/axe-core/axe.min.js
	if [ ! -s "$script" ] && has npm; then
		mkdir -p "$home"
		npm install --silent --no-audit --no-fund --no-save --prefix "$home" "axe-core@$axe_version" >"$scratch/npm.log" 2>&1 ||
			tail -n 20 "$scratch/npm.log"
	fi
	if [ -s "$script" ]; then export BOGOPS_AXE=$script; else echo 'axe-core is not there: npm could not fetch it'; fi
}

# schemathesis fetches what plays with the running server, into a directory of
# its own: nothing of it reaches the system's Python.
schemathesis() {
	local home=$cache/schemathesis-$schemathesis_version
	schemathesis=$home/bin/schemathesis
	if ! "$schemathesis" --version >/dev/null 2>&1 && has python3; then
		mkdir -p "$cache" && rm -rf "$home"
		{ python3 -m venv "$home" &&
			"$home/bin/pip" install -q --disable-pip-version-check "schemathesis==$schemathesis_version"; } >"$scratch/pip.log" 2>&1 ||
			tail -n 20 "$scratch/pip.log"
	fi
	"$schemathesis" --version >/dev/null 2>&1 || echo 'schemathesis is not there: pip could not fetch it'
}

# moto fetches the S3 server that s3store is tested on; the tests find it by
# BOGOPS_MOTO.
moto() {
	local home=$cache/moto-$moto_version
	if [ ! -s "$home/ready" ] && has python3; then
		mkdir -p "$cache" && rm -rf "$home"
		{ python3 -m venv "$home" &&
			"$home/bin/pip" install -q --disable-pip-version-check "moto[server]==$moto_version" &&
			echo "$moto_version" >"$home/ready"; } >"$scratch/pip.log" 2>&1 ||
			tail -n 20 "$scratch/pip.log"
	fi
	if [ -s "$home/ready" ]; then export BOGOPS_MOTO=$home/bin/moto_server; else echo 'moto is not there: pip could not fetch it'; fi
}

# contract has schemathesis hold the running server against its document.
contract() {
	if ! "$schemathesis" --version >/dev/null 2>&1; then
		left+=("schemathesis: not installed")
	elif .ci/schemathesis/run.sh "$schemathesis" >"$scratch/schemathesis.log" 2>&1; then
		passed=$((passed + 1))
		grep -E '^seed |generated,' "$scratch/schemathesis.log"
	else
		failed=$((failed + 1))
		cat "$scratch/schemathesis.log"
		echo 'FAIL schemathesis'
	fi
}

# cluster starts the Ceph cluster that the tests share. The guard destroys it
# also where this script is killed without a word.
cluster() {
	if ! has ceph-osd || ! has ceph-mon || ! has ceph-mgr || ! has ceph; then
		left+=("Ceph cluster: ceph-mon, ceph-mgr, ceph-osd or ceph-common is not installed")
	elif infra/ceph/cluster.sh "$scratch/ceph" init; then
		exec 8> >(exec setsid infra/ceph/cluster.sh "$scratch/ceph" guard >/dev/null 2>&1)
		export BOGOPS_CEPH=$scratch/ceph
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo 'FAIL infra/ceph/cluster.sh init'
	fi
}

build() {
	make build && go build -o "$scratch/tally" ./.ci/tally
}

# building has Concourse and the types of its resources built beside the parts
# that need neither.
building() {
	# In a session of its own, which clean ends as a whole.
	# shellcheck disable=SC2016 # it is the inner shell's to expand
	setsid bash -c 'infra/concourse/build/build.sh && infra/concourse/types/build.sh "$1/types" &&
		make -s builder-image OUT="$1/builder.tar"' building "$scratch" >"$scratch/building.log" 2>&1 &
	building=$!
}

# concourse starts the Concourse that the tests share, guarded as the cluster is.
concourse() {
	local built=0
	wait "$building" || built=$?
	building=
	if [ "$(id -u)" != 0 ] || ! has containerd || ! has runc || ! has iptables || ! has jq || [ ! -x /usr/lib/cni/bridge ]; then
		left+=("Concourse: root, postgresql, containerd, runc, iptables, jq or containernetworking-plugins is missing")
	elif [ "$built" = 0 ] && BOGOPS_CONCOURSE_FAST=1 infra/concourse/ci.sh "$scratch/concourse" start; then
		exec 7> >(exec setsid "$scratch/concourse/bin/ci.sh" "$scratch/concourse" guard >/dev/null 2>&1)
		export BOGOPS_CONCOURSE=$scratch/concourse
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		cat "$scratch/building.log"
		echo 'FAIL infra/concourse/ci.sh start'
	fi
}

# tests are all the Go tests but the proof and the pipelines. -count=1: what depends on this
# machine's tools must not be answered from an earlier run.
tests() {
	local race=-race tags=-tags=ceph
	if ! has gcc; then
		race=
		left+=("race detector: gcc is not installed")
	fi
	if ! has gcc || [ ! -e /usr/include/rados/librados.h ]; then
		tags=
		left+=("Ceph: librados-dev is not installed")
	fi
	# shellcheck disable=SC2046,SC2086 # names without spaces; empty is no argument
	counted go test -json $race $tags -count=1 -p 2 -timeout 40m $(go list $tags ./... | grep -vE '/(app/proof|pipelines/e2e)$') ./.ci/bench ./.ci/layers ./.ci/tally
}

# proof is the fall-back with real parts: it has limits of time, so nothing runs
# beside it. The program that it proves is built as it is deployed.
proof() {
	if ! has gcc || [ ! -e /usr/include/rados/librados.h ]; then
		left+=("proof of the fall-back: gcc or librados-dev is not installed")
		return
	fi
	export BOGOPS_PROOF_TABLE=$scratch/proof
	counted go test -json -tags=ceph -count=1 -timeout 30m ./app/proof
	[ ! -e "$scratch/proof" ] || cat "$scratch/proof"
}

# pipelines has a real Concourse run the kit's own pipelines, from a push to what
# then serves. They compile on both cores, so nothing runs beside them.
pipelines() {
	if [ -z "${BOGOPS_CONCOURSE:-}" ]; then
		left+=("pipelines: no Concourse could be started")
		return
	fi
	counted go test -json -count=1 -timeout 50m ./pipelines/e2e
}

# model searches the model of the fall-back, which counts for itself.
model() {
	if ! has spin || ! has gcc; then
		left+=("model: spin or gcc is not installed")
		return
	fi
	make -s model | tee "$scratch/model.log" || true
	local counts
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$scratch/model.log" | tail -n 1)
	case $counts in
	'' | '0 0') failed=$((failed + 1)) && echo 'FAIL model: it came to no count' ;;
	*) passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* })) ;;
	esac
}

# image builds the app's image and has it prove itself, beside the parts that
# have no limits of time; imaged says how it went.
image() {
	image=
	if [ "$(id -u)" != 0 ] || ! has dockerd || ! has docker-compose || ! has debootstrap || ! has curl; then
		left+=("image: root, docker.io, docker-compose, debootstrap or curl is missing")
		return
	fi
	.ci/docker.sh >"$scratch/image.log" 2>&1 &
	image=$!
}

imaged() {
	[ -n "$image" ] || return 0
	local code=0
	wait "$image" || code=$?
	image=
	cat "$scratch/image.log"
	case $code in
	0) passed=$((passed + 1)) ;;
	77) echo '     excluded by docs/decisions.md: no engine can start here' ;;
	*) failed=$((failed + 1)) && echo 'FAIL .ci/docker.sh' ;;
	esac
}

finish() {
	printf '\n'
	for what in "${left[@]}"; do
		printf 'left out: %s\n' "$what"
	done
	if [ "${CI:-}" = true ] && [ ${#left[@]} -gt 0 ]; then
		echo "with CI=true nothing may be left out: ${#left[@]} counted as failed"
		failed=$((failed + ${#left[@]}))
	fi
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}

part 'install' install
part 'build' one build
if [ "$failed" -gt 0 ]; then finish; fi
building
part 'lint' one make -s lint
part 'layers' one make -s layers
mkdir "$scratch/pictures"
export BOGOPS_PICTURES=$scratch/pictures # where the browser tests draw
part 'ceph' cluster
part 'concourse' concourse
part 'tests' tests
part 'pipelines' pipelines
part 'proof' proof
image
part 'model' model
part 'schemathesis' contract
part 'silver' one .ci/silver.sh
part 'image' imaged
# The day's record goes away with the scratch directory, and the wall takes a
# port that nobody else has.
export BOGOPS_LISTEN=127.0.0.1:0 BOGOPS_OUT=$scratch/rehearsal
# The rehearsal is the demo's day with two bricks more, and it takes its place.
if [ -n "${BOGOPS_CEPH:-}" ] && [ -n "${BOGOPS_CONCOURSE:-}" ]; then
	part 'rehearsal' one make -s rehearsal
else
	part 'demo' one make -s demo
	left+=("rehearsal: no Ceph cluster or no Concourse could be started")
fi
finish
