# syntax=docker/dockerfile:1

# Debian 12 on both sides: the binary needs the C library that it was linked against, and nothing else.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# What cargo downloads and compiles stays in caches of the builder, so a change of ours compiles our crates alone.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin portico \
    && install -D target/release/portico /out/usr/local/bin/portico \
    && install -d -m 0700 /out/data

# A C library and no shell, package manager or certificates: the authorities that we trust are compiled in.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Portico" \
      org.opencontainers.image.description="The accounts service of a client portal" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# The only place that may be written to, and only SQLite needs one: mount a volume there.
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
