# In the project's folder: docker build -t amat .
# --build-arg NAME=VALUE sets an argument. containers/install does the installation, here as in apptainer.def.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
ARG JUPYTER=yes
ARG MPI=no
ARG COMMIT=unknown
ARG SOURCE_DATE_EPOCH=0

COPY .zenodo.json amat CHANGELOG.md CITATION.cff codemeta.json CONTRIBUTING.md LICENSE README.md REUSE.toml /opt/amat/
COPY apptainer.def Dockerfile _config.yml pyproject.toml /opt/amat/
COPY LICENSES /opt/amat/LICENSES
COPY book /opt/amat/book
COPY config /opt/amat/config
COPY data /opt/amat/data
COPY models /opt/amat/models
COPY notebooks /opt/amat/notebooks
COPY scripts /opt/amat/scripts
COPY packages /opt/amat/packages
COPY src /opt/amat/src
COPY tests /opt/amat/tests
COPY upstream /opt/amat/upstream
COPY workflow /opt/amat/workflow
COPY containers/entrypoint containers/install containers/make-lock containers/optional.txt containers/requirements.lock containers/selftest.py /opt/amat/containers/

RUN --mount=type=bind,source=containers/certificates,target=/opt/certificates \
    MPI="${MPI}" COMMIT="${COMMIT}" SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" /opt/amat/containers/install base
RUN --mount=type=bind,source=containers/certificates,target=/opt/certificates \
    if [ "${JUPYTER}" = yes ]; then /opt/amat/containers/install jupyter; fi
RUN /opt/amat/containers/install bill

ENV PYTHONNOUSERSITE=1
LABEL org.opencontainers.image.title="AMAT in NESTML" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="GPL-2.0-or-later" \
      org.opencontainers.image.revision="${COMMIT}"

# Results go to the folder that is mounted at /work: docker run --rm -u "$(id -u):$(id -g)" -v "$PWD:/work" amat
WORKDIR /work
ENTRYPOINT ["/opt/amat/containers/entrypoint"]
