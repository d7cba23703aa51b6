#!/usr/bin/env bash
# What ci.sh runs inside the namespaces; the directory is /run/concourse there.
#
#   inside.sh hold DIR       make the place, and hold it as its first process
#   inside.sh postgres DIR
#   inside.sh web DIR
#   inside.sh worker DIR
# shellcheck disable=SC2154 # bin, types, port, fast, name and acme are of the settings
set -euo pipefail
umask 022 # root in a container is another user

# hold begins with /proc still the machine's, so this process learns the number
# that it has out there. What would stay on the machine otherwise is hidden:
# sockets below /run, addresses given to containers below /var/lib/cni, and
# PostgreSQL's memory.
hold() {
	local pid
	read -r pid _ </proc/self/stat
	mount -t proc proc /proc
	mount --bind "$dir" /mnt
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir /run/concourse
	mount --move /mnt /run/concourse
	mount -t tmpfs tmpfs /dev/shm
	private
	ip link set lo up
	echo "$pid" >/run/concourse/run/pid.new
	mv /run/concourse/run/pid.new /run/concourse/run/pid
	exec "$bin/init"
}

# private lets /var/lib be written to, and forgets it with the namespace.
private() {
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/upper /mnt/work
	mount -t overlay -o lowerdir=/var/lib,upperdir=/mnt/upper,workdir=/mnt/work overlay /var/lib
}

postgres() {
	local programs data=$dir/pg/data
	programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	local as=(setpriv --reuid postgres --regid postgres --init-groups)
	if [ ! -e "$dir/pg/made" ]; then
		rm -rf "$data"
		install -d -o postgres -g postgres "$data"
		"${as[@]}" "$programs/initdb" -D "$data" -U concourse -A trust -E UTF8 --locale C --no-sync
		echo 'create database concourse' | "${as[@]}" "$programs/postgres" --single -D "$data" postgres
		touch "$dir/pg/made"
	fi
	rm -f "$data/postmaster.pid" # nobody is left of the last time, but the number may be somebody else's now
	local options=(-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=64MB -c max_connections=200)
	[ -z "$fast" ] || options+=(-c fsync=off -c full_page_writes=off)
	exec "${as[@]}" "$programs/postgres" -D "$data" "${options[@]}"
}

# web is told of its users by the environment, where others do not look.
web() {
	local url=http://127.0.0.1:$port flags=() users
	users=admin:$(<"$dir/keys/admin")$(sed 's/^/,/' "$dir/keys/users" | tr -d '\n')
	if [ -n "$name" ]; then
		url=https://$name
		flags+=(--tls-bind-port 443)
		if [ -n "$acme" ]; then
			flags+=(--enable-lets-encrypt --lets-encrypt-acme-url "$acme")
			[ ! -e "$dir/keys/acme.pem" ] || export SSL_CERT_FILE=$dir/keys/acme.pem
		else
			flags+=(--tls-cert "$dir/keys/tls.crt" --tls-key "$dir/keys/tls.key")
		fi
	fi
	until pg_isready -q -h 127.0.0.1 -U concourse && [ -e "$dir/keys/ready" ]; do sleep 0.05; done
	export CONCOURSE_ADD_LOCAL_USER=$users
	# What a pipeline leaves open is asked of whoever serves it there (secrets.go).
	export CONCOURSE_VAULT_URL=http://127.0.0.1:8200 CONCOURSE_VAULT_CLIENT_TOKEN
	CONCOURSE_VAULT_CLIENT_TOKEN=$(<"$dir/keys/admin")
	exec "$bin/concourse" web --external-url "$url" --bind-port "$port" "${flags[@]}" \
		--cluster-name bogops --main-team-local-user admin --config-rbac "$dir/bin/rbac.yml" \
		--postgres-host 127.0.0.1 --postgres-user concourse --postgres-database concourse --postgres-sslmode disable \
		--session-signing-key "$dir/keys/session" --tsa-host-key "$dir/keys/tsa" --tsa-authorized-keys "$dir/keys/worker.pub" \
		--peer-address 127.0.0.1 --tsa-peer-address 127.0.0.1 --tsa-heartbeat-interval 5s \
		--component-runner-interval 1s --lidar-scanner-interval 1s --build-tracker-interval 1s --resource-checking-interval 10s \
		--enable-pipeline-instances --enable-across-step --enable-redact-secrets --enable-rerun-when-worker-disappears
}

# cgroups shows no more of them than what is ours, so that containers are put
# there. Version 2 wants processes in the leaves only, and here is not one.
cgroups() {
	local mount type options
	findmnt -rn -t cgroup,cgroup2 -o TARGET,FSTYPE,FS-OPTIONS | while read -r mount type options; do
		umount "$mount"
		mount -t "$type" -o "$options" cgroup "$mount"
		[ "$type" = cgroup2 ] || continue
		mkdir -p "$mount/worker"
		echo $$ >"$mount/worker/cgroup.procs"
	done
}

# worker lets containers reach what listens in this network, and asks no DNS.
worker() {
	local number driver=overlay
	number=$(<"$dir/run/worker")
	mkdir -p "$dir/work/$number" /run/containerd
	mount -t tmpfs tmpfs /run/containerd
	cgroups
	private
	# An overlay cannot lie on another one, as the root of a container is.
	[ "$(stat -f -c %T "$dir/work")" != overlayfs ] || driver=naive
	cat >"$dir/work/containerd.toml" <<-'END'
		version = 2
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
		  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
	END
	exec "$bin/concourse" worker --name "worker-$number" --ephemeral --work-dir "$dir/work/$number" --runtime containerd \
		--tsa-host 127.0.0.1:2222 --tsa-public-key "$dir/keys/tsa.pub" --tsa-worker-private-key "$dir/keys/worker" \
		--containerd-config "$dir/work/containerd.toml" --containerd-bin "$(command -v containerd)" \
		--containerd-init-bin "$bin/init" --containerd-cni-plugins-dir /usr/lib/cni --containerd-mtu 1500 \
		--containerd-external-ip 127.0.0.1 --containerd-dns-server 127.0.0.1 --containerd-allow-host-access \
		--baggageclaim-driver "$driver" --resource-types "$types"
}

dir=$2
# shellcheck source=/dev/null
. "$dir/settings"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=$dir/tmp
"$1"
