# seved and seve on Debian 12.  Nothing but Debian's packages goes in.
FROM debian:12-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	gcc g++ cmake ninja-build pkg-config protobuf-c-compiler protobuf-compiler libprotobuf-c-dev libuv1-dev libpq-dev \
	libssl-dev libsqlite3-dev libpopt-dev libinih-dev libcsv-dev libjansson-dev libutf8proc-dev uthash-dev \
	libsmartcols-dev libical-dev libxlsxwriter-dev zlib1g-dev gettext
COPY . /src
RUN cmake --preset release -S /src -DSEVE_BENCH=OFF -DCMAKE_INSTALL_PREFIX=/usr/local \
	&& cmake --build /src/build/release \
	&& DESTDIR=/out cmake --install /src/build/release --strip

FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	ca-certificates openssl libuv1 libpq5 libssl3 libprotobuf-c1 libsqlite3-0 libpopt0 libinih1 libcsv3 libjansson4 \
	libutf8proc2 libsmartcols1 libical3 libxlsxwriter4 \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin seved
COPY --from=build /out/usr/local/ /usr/local/
USER 10001:10001
EXPOSE 7433
STOPSIGNAL SIGTERM
# A whole TLS handshake with our protocol, not just an open port.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
	CMD openssl s_client -connect 127.0.0.1:7433 -alpn seve/1 -brief </dev/null || exit 1
ENTRYPOINT ["/usr/local/sbin/seved"]
CMD ["--listen-address", "0.0.0.0"]
