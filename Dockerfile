# One image for every server of the platform, and for `sandbox init`; docker-compose.yml tells what each one runs.
# No BuildKit-only syntax: docker-compose 1.29 builds it too. An offline site names its own base (--build-arg BASE=…) and
# fills wheelhouse/ first (docker/wheelhouse.sh); without one, packages come from the index, by hash.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
# The bracket makes wheelhouse/ optional: a pattern may match nothing as long as another source is there.
COPY requirements.lock uv.lock docker/runtime_requirements.py wheelhous[e] docker/
RUN python3 -m venv /opt/sandbox \
 && mv docker/*.lock . \
 && if ls docker/*.whl >/dev/null 2>&1; then \
      python3 docker/runtime_requirements.py --without-hashes >runtime.lock \
      && /opt/sandbox/bin/pip install --quiet --disable-pip-version-check --no-index --find-links docker --no-deps -r runtime.lock; \
    else \
      headers=$(python3 -c 'import os, sysconfig; print("" if os.path.exists(sysconfig.get_path("include") + "/Python.h") else "python3-dev")') \
      && apt-get update -q && apt-get install -qy --no-install-recommends gcc libc6-dev $headers \
      && python3 docker/runtime_requirements.py >runtime.lock \
      && /opt/sandbox/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r runtime.lock; \
    fi
# The builder in an environment of its own: it does not belong into the image.
RUN python3 -m venv /opt/builder \
 && if ls docker/*.whl >/dev/null 2>&1; then offline="--no-index --find-links docker"; fi \
 && /opt/builder/bin/pip install --quiet --disable-pip-version-check $offline 'hatchling>=1.27'
COPY pyproject.toml README.md source/
COPY certs/profiles.toml source/certs/
COPY psd2 source/psd2
COPY chassis source/chassis
COPY sandbox source/sandbox
COPY gateway source/gateway
COPY bank_backend source/bank_backend
COPY tpp_client source/tpp_client
RUN cd source && /opt/builder/bin/hatchling build -t wheel -d /build/dist >/dev/null \
 && /opt/sandbox/bin/pip install --quiet --disable-pip-version-check --no-index --no-deps /build/dist/*.whl \
 && /opt/sandbox/bin/pip uninstall --quiet --yes pip setuptools

FROM ${BASE}
# A number rather than a name: Kubernetes and the like can see that it is not root.
# Where volumes are mounted: a new volume takes the owner and mode of the folder in the image.
RUN groupadd --gid 10001 sandbox \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/sandbox sandbox \
 && own="install -d -o 10001 -g 10001" \
 && for server in edge authorization admin bank demo; do $own -m 0700 /srv/keys/$server/certs; done \
 && for user in edge authorization admin bank portal postgres; do $own -m 0750 /srv/secrets/$user; done \
 && $own -m 0700 /srv/sandbox /srv/sandbox/certs /srv/sandbox/var /srv/audit \
 && $own -m 0750 /run/secrets
COPY --from=build /opt/sandbox /opt/sandbox
# Two arenas: by glibc's own measure each thread of a server keeps for good what its heaviest request took.
ENV PATH=/opt/sandbox/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    SANDBOX_HOME=/srv/sandbox GATEWAY_HOME=/srv/sandbox BANK_HOME=/srv/sandbox DEMO_HOME=/srv/sandbox
WORKDIR /srv/sandbox
USER 10001:10001
CMD ["sandbox", "--help"]
