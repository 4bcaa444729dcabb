# The command `jmedethic` for clusters: docker build --build-arg EXTRAS=plots,local -t jmedethic .
FROM python:3.13-slim AS build
ARG EXTRAS="plots"
WORKDIR /source
COPY . .
RUN python3 -m venv /opt/jmedethic \
    && /opt/jmedethic/bin/pip install --no-cache-dir -c constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home jmedethic
COPY --from=build /opt/jmedethic /opt/jmedethic
ENV PATH=/opt/jmedethic/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /work
ENTRYPOINT ["jmedethic"]
