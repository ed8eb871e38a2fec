# Ariane on one machine, on the CPU: `docker compose up --build` serves it on http://127.0.0.1:8000.
#
# The base is pinned by version, not by digest: this file was written where no registry answered.
# To pin it, put what `docker buildx imagetools inspect python:3.11.14-slim-bookworm` calls Digest
# behind the version: python:3.11.14-slim-bookworm@sha256:…
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
# Where torch comes from without CUDA's gigabytes; every version is that of constraints.txt.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY constraints.txt ./
# Only torch itself comes from that index, and its dependencies from where all others do.
RUN python -m venv /opt/ariane \
    && /opt/ariane/bin/pip install --no-deps --index-url "$TORCH_INDEX" -c constraints.txt torch \
    && pip install -c constraints.txt hatchling
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/ariane/bin/pip install -c constraints.txt "$(echo dist/ariane-*.whl)[all]"

FROM ${PYTHON}
# The numbers are fixed, so that the owner of a mounted home is known; compose.yaml needs no root.
RUN groupadd --gid 10001 ariane \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ariane \
        --shell /usr/sbin/nologin ariane \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/ariane
COPY --from=build /opt/ariane /opt/ariane
ENV PATH=/opt/ariane/bin:$PATH \
    ARIANE_HOME=/var/lib/ariane \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/ariane
VOLUME /var/lib/ariane
EXPOSE 8000
# http.client, since urllib would ask a proxy that the environment names.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection; to = HTTPConnection('127.0.0.1', 8000, timeout=8); to.request('GET', '/v1/health/ready'); raise SystemExit(to.getresponse().status != 200)"]
# An empty home becomes one with the defaults; one that is there is served as it is. The address is
# that of the container: what reaches it from outside is for the port's publisher to say.
CMD ["sh", "-c", "set -e; [ -e \"$ARIANE_HOME/ariane.toml\" ] || ariane init \"$ARIANE_HOME\"; exec ariane serve --host 0.0.0.0 --port 8000"]
