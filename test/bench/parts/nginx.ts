import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { descendantsOf } from '../../support/running-signalbox.ts'
import { bindToCore, measuredCore, type Part } from './processes.ts'

const configuration = (folder: string, port: number, upstream: number): string => `
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  client_body_buffer_size 256k; keepalive_requests 1000000;
  upstream provider { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`

/** nginx with one worker before the same upstream; undefined where it is not installed. */
export async function startNginx(upstream: number): Promise<Part | undefined> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nginx-'))
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, upstream))
  const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const worker = descendantsOf(child.pid ?? 0)[0]
  if (worker === undefined) throw new Error('nginx has no worker')
  bindToCore(worker.pid, measuredCore)
  return {
    pid: worker.pid,
    port,
    stop() {
      child.kill('SIGTERM')
      setTimeout(() => rmSync(folder, { recursive: true, force: true }), 1000).unref()
    },
  }
}
