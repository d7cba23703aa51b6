# The app as an image, able to store in Ceph. From the root of the repository:
#
#   docker build -f docker/app.Dockerfile --build-arg VERSION="$(git describe --always)" -t bogops/app .
#
# The two images below may be replaced by any that are Debian 12, the first with
# Go in its PATH; .ci/docker.sh does so where no registry can be reached.
ARG GO_IMAGE=golang:1.26-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${GO_IMAGE} AS build
# librados for cgo; the linker comes with gcc.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev librados-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
COPY app ./app
ARG VERSION=dev
ARG GOPROXY=https://proxy.golang.org,direct
RUN CGO_ENABLED=1 GOPROXY=${GOPROXY} GOTOOLCHAIN=local \
    go build -tags ceph -trimpath -ldflags "-X main.version=${VERSION}" -o /out/app ./app

FROM ${BASE_IMAGE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends librados2 ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bogops \
 && install -d -o bogops -g bogops -m 700 /data
COPY --from=build /out/app /usr/local/bin/app
USER 10001
# A volume, so that the file store is not in the container's own layer. Other
# stores leave it empty.
VOLUME /data
ENV BOGOPS_STORE=file:/data \
    BOGOPS_LISTEN=0.0.0.0:8443 \
    BOGOPS_ADMIN_LISTEN=127.0.0.1:9090
EXPOSE 8443
# Alive, not ready: an engine restarts what is not healthy, and no restart brings
# a store back. Asked on the operators' port, which speaks plain HTTP always.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${BOGOPS_ADMIN_LISTEN##*:}\" && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ARG VERSION=dev
LABEL org.opencontainers.image.title="bogops app" \
      org.opencontainers.image.description="The reference platform: keeps objects in Ceph, S3 or files and serves them over HTTP" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
ENTRYPOINT ["/usr/local/bin/app"]
