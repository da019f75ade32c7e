// A proxy of Node's own modules: mutual TLS on both sides, keep-alive, bodies streamed. One argument: settings as JSON.
'use strict'
const fs = require('node:fs')
const https = require('node:https')

const settings = JSON.parse(process.argv[2])
const read = (...path) => fs.readFileSync([settings.certs, ...path].join('/'))
const agent = new https.Agent({
  keepAlive: true,
  maxSockets: 64,
  ca: read('ca', 'internal.crt'),
  cert: read('internal', 'gateway.crt'),
  key: read('internal', 'gateway.key'),
  servername: 'bank.internal',
})

const server = https.createServer(
  {
    cert: read('servers', 'edge.crt'),
    key: read('servers', 'edge.key'),
    ca: fs.readFileSync(settings.trust),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const { connection, 'keep-alive': _, ...headers } = { ...request.headers, ...settings.headers }
    const upstream = https.request(
      { agent, host: '127.0.0.1', port: settings.upstreamPort, method: request.method, path: request.url, headers },
      (reply) => {
        response.writeHead(reply.statusCode, reply.headers)
        reply.pipe(response)
      },
    )
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  },
)
server.keepAliveTimeout = 60000
server.listen(settings.port, '127.0.0.1')
