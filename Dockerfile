# syntax=docker/dockerfile:1

# Both stages use Debian 12, because the binary needs the C library that it was linked against. It needs nothing else.
FROM rust:1.95-bookworm AS build
WORKDIR /src
# Also copies web/dist, the built pages, which the binary contains.
COPY . .
# Cargo's downloads and its target folder are in caches of the builder, so after a change only our own crates are
# compiled.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin portico \
    && install -D target/release/portico /out/usr/local/bin/portico \
    && install -d -m 0700 /out/data

# This image has a C library, but no shell, no package manager and no certificates. The trusted certificate authorities
# are compiled into the binary.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Portico" \
      org.opencontainers.image.description="The accounts service of a client portal" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# /data is the only folder that the process may write to. Only SQLite needs it; mount a volume there.
COPY --from=build --chown=65532:65532 /out/ /
WORKDIR /data
ENV PORTICO_ENV=production \
    PORTICO_LISTEN=0.0.0.0:8080 \
    PORTICO_INTERNAL_LISTEN=0.0.0.0:9080
EXPOSE 8080 9080
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=20s --retries=3 CMD ["portico", "healthcheck"]
ENTRYPOINT ["portico"]
CMD ["serve"]
