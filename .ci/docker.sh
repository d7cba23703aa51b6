#!/usr/bin/env bash
# docker.sh builds docker/app.Dockerfile with an engine of its own, and has the
# image prove itself: alive, without root, stopped without a cut, on files across
# a restart, and on the Ceph cluster that BOGOPS_CEPH names. No registry is
# asked: the base is made by debootstrap, Go and its modules are this machine's.
# It ends with 77, and says why, where no engine can start.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
dockerd=
modules=
# The machine may have a docker of its own, which must not be met.
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CONFIG
export DOCKER_HOST=unix://$scratch/sock DOCKER_BUILDKIT=0
docker() { /usr/bin/docker "$@"; }

stop() {
	local status=$?
	if [ -n "$dockerd" ]; then
		docker ps -q 2>/dev/null | while read -r id; do docker kill "$id" >/dev/null 2>&1 || true; done
		kill "$dockerd" 2>/dev/null || true
		wait "$dockerd" 2>/dev/null || true
	fi
	if [ -n "$modules" ]; then
		kill "$modules" 2>/dev/null || true
		wait "$modules" 2>/dev/null || true
	fi
	# What a container's network was is a mount that dockerd leaves behind.
	awk -v under="$scratch/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do umount "$mount" || true; done
	rm -rf "$scratch" || true
	exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# engine starts dockerd beside whatever else runs: no bridge, no rule of a
# firewall. Containers take the host's network.
engine() {
	dockerd --data-root "$scratch/data" --exec-root "$scratch/exec" --pidfile "$scratch/pid" --host "$DOCKER_HOST" \
		--bridge=none --iptables=false --ip6tables=false --ip-forward=false "$@" >"$scratch/dockerd.log" 2>&1 &
	dockerd=$!
	for _ in $(seq 150); do
		if docker version >/dev/null 2>&1; then return 0; fi
		if ! kill -0 "$dockerd" 2>/dev/null; then break; fi
		sleep 0.2
	done
	kill "$dockerd" 2>/dev/null || true
	wait "$dockerd" 2>/dev/null || true
	dockerd=
	return 1
}

if ! engine && ! engine --storage-driver=vfs; then
	echo "no engine can start: $(grep -v 'level=info' "$scratch/dockerd.log" | tail -n 1)"
	exit 77
fi
# The base, kept from run to run.
if [ ! -s "$cache/debian-12.tar" ]; then
	mkdir -p "$cache"
	debootstrap --variant=minbase bookworm "$scratch/base" http://deb.debian.org/debian >"$scratch/debootstrap.log" 2>&1 ||
		{ tail -n 20 "$scratch/debootstrap.log"; die 'debootstrap failed'; }
	tar -c -C "$scratch/base" --exclude=./dev . >"$scratch/debian-12.tar"
	mv "$scratch/debian-12.tar" "$cache/debian-12.tar"
	rm -rf "$scratch/base"
fi
docker import "$cache/debian-12.tar" bogops-test/debian >/dev/null
if ! why=$(docker run --rm --network host bogops-test/debian true 2>&1); then
	echo "no container can run: $why"
	exit 77
fi
printf 'FROM bogops-test/debian\nCOPY . /usr/local/go\nENV PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' |
	docker build -q -t bogops-test/go -f - "$(go env GOROOT)" >/dev/null

: >"$scratch/modules.log"
python3 -u -m http.server --bind 127.0.0.1 --directory "$(go env GOMODCACHE)/cache/download" 0 >"$scratch/modules.log" 2>/dev/null &
modules=$!
proxy=
for _ in $(seq 100); do
	proxy=$(sed -n 's/^Serving HTTP on .*(\(http:.*\)\/).*/\1/p' "$scratch/modules.log")
	if [ -n "$proxy" ]; then break; fi
	sleep 0.1
done
[ -n "$proxy" ] || die 'the modules are not served'

echo 'building the image'
docker build --network host -f docker/app.Dockerfile -t bogops/app --build-arg VERSION=from-the-image \
	--build-arg GO_IMAGE=bogops-test/go --build-arg BASE_IMAGE=bogops-test/debian --build-arg "GOPROXY=$proxy" . >"$scratch/build.log" 2>&1 ||
	{ tail -n 30 "$scratch/build.log"; die 'the image does not build'; }

# free prints a port that nobody has now.
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

BOGOPS_JUDGE_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export BOGOPS_JUDGE_TOKEN
head -c 5000000 /dev/urandom >"$scratch/object"
ask() { curl -sS --fail-with-body --max-time 60 -H "Authorization: Bearer $BOGOPS_JUDGE_TOKEN" "$@"; }

# ready waits for the container of that name to say that it can serve.
ready() {
	for _ in $(seq 300); do
		if curl -sf --max-time 5 "$2/readyz" >/dev/null; then return 0; fi
		sleep 0.2
	done
	docker logs "$1" 2>&1 | tail -n 20
	die "$1 is not ready"
}

# begin NAME OPTION... starts the image; its address is in url.
begin() {
	local name=$1 port
	shift
	port=$(free)
	docker run -d --name "$name" --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
		-e BOGOPS_JUDGE_TOKEN -e "BOGOPS_LISTEN=127.0.0.1:$port" -e "BOGOPS_ADMIN_LISTEN=127.0.0.1:$(free)" "$@" bogops/app >/dev/null
	url=http://127.0.0.1:$port
	ready "$name" "$url"
}

same() { ask "$url/v1/objects/docker" | cmp - "$scratch/object" || die "$1: other bytes come back"; }

# healthy: what the engine itself has found out by asking the image.
healthy() {
	local health=
	for _ in $(seq 150); do
		health=$(docker inspect -f '{{.State.Health.Status}}' "$1")
		if [ "$health" = healthy ]; then return 0; fi
		sleep 0.2
	done
	die "$1: the engine finds it $health"
}

begin files -v bogops-objects:/data
ask -T "$scratch/object" "$url/v1/objects/docker" >/dev/null
same files
healthy files
[ "$(docker exec files id -u)" = 10001 ] || die 'the image runs as another user than it should'
[ "$(docker inspect -f '{{index .Config.Labels "org.opencontainers.image.version"}}' files)" = from-the-image ] || die 'the label names another version'
docker run --rm --network none bogops/app --version | grep -q '^app from-the-image, can store in Ceph$' || die 'the image cannot store in Ceph'
docker stop -t 20 files >/dev/null
[ "$(docker inspect -f '{{.State.ExitCode}}' files)" = 0 ] || die 'SIGTERM does not end it with 0'
docker rm files >/dev/null
begin again -v bogops-objects:/data
same 'after a restart'
docker stop -t 20 again >/dev/null
echo 'on files: stored, healthy, stopped, read again'

if [ -n "${BOGOPS_CEPH:-}" ]; then
	BOGOPS_CEPH_KEY=$(awk '$1 == "key" { print $3 }' "$BOGOPS_CEPH/keyring/objects")
	export BOGOPS_CEPH_KEY
	install -m 644 "$BOGOPS_CEPH/ceph.conf" "$scratch/ceph.conf" # the image's user is not this one
	begin ceph -v "$scratch/ceph.conf:/etc/ceph/ceph.conf:ro" -e BOGOPS_CEPH_KEY \
		-e "BOGOPS_STORE=ceph:objects/docker-$$" -e BOGOPS_CEPH_CONF=/etc/ceph/ceph.conf
	ask -T "$scratch/object" "$url/v1/objects/docker" >/dev/null
	same ceph
	ask "$url/v1/evidence/docker" | grep -q '"store":"ceph"' || die 'the evidence names another store'
	ask -X DELETE "$url/v1/objects/docker"
	docker stop -t 20 ceph >/dev/null
	echo 'on Ceph: stored, read, named, removed'
else
	echo 'on Ceph: not tried, BOGOPS_CEPH names no cluster'
fi

if command -v docker-compose >/dev/null; then
	docker-compose -f docker/compose.yml --profile s3 --profile ceph config -q || die 'docker/compose.yml is not valid'
	echo 'compose.yml: valid'
fi
