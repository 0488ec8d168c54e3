# syntax=docker/dockerfile:1
# Three steps: the styles and scripts, the Python packages, and an image that holds nothing that built them.

FROM node:24-bookworm-slim AS assets
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend/ ./
RUN node build.mjs

FROM python:3.11-slim-bookworm AS packages
COPY requirements/prod.txt /tmp/prod.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/prod.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOLLGATE_ENV=production \
    TOLLGATE_DATA_DIR=/data \
    TOLLGATE_STATIC_ROOT=/srv/static
RUN groupadd --gid 10001 tollgate \
    && useradd --uid 10001 --gid tollgate --no-create-home --shell /usr/sbin/nologin tollgate \
    && install -d -o tollgate -g tollgate /data /srv/static
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/tollgate
COPY . .
COPY --from=assets /build/static/dist static/dist
# The key serves only to load the settings; it is not in the image.
RUN TOLLGATE_SECRET_KEY=collect-only TOLLGATE_PUBLIC_URL=https://localhost python manage.py collectstatic --noinput \
    && chown -R tollgate:tollgate /srv/static
USER tollgate
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--control-socket", "/data/gunicorn.ctl"]
