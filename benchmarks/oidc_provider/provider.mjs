// oidc-provider, set up as our authorization server is: mutual TLS, tls_client_auth, pushed requests, S256, bound tokens.
// `node provider.mjs SETTINGS` with SETTINGS the path of a JSON document: port, key, certificate, ca, issuer, client, database (or null).

import { readFileSync } from "node:fs";
import https from "node:https";
import Database from "better-sqlite3";
import Provider from "oidc-provider";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));

// Kept as ours are: WAL, synchronous=NORMAL, one transaction a write.
class SqliteAdapter {
  static database = settings.database && new Database(settings.database);

  static {
    if (this.database) {
      this.database.pragma("journal_mode=WAL");
      this.database.pragma("synchronous=NORMAL");
      this.database.exec(`CREATE TABLE IF NOT EXISTS models (
        id TEXT PRIMARY KEY, payload TEXT NOT NULL, grant_id TEXT, uid TEXT, expires_at REAL, consumed_at REAL)`);
      this.database.exec("CREATE INDEX IF NOT EXISTS models_grant ON models (grant_id)");
      this.database.exec("CREATE INDEX IF NOT EXISTS models_uid ON models (uid)");
      const prepared = (text) => this.database.prepare(text);
      this.put = prepared("INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, NULL)");
      this.get = prepared("SELECT * FROM models WHERE id = ?");
      this.byUid = prepared("SELECT * FROM models WHERE uid = ?");
      this.use = prepared("UPDATE models SET consumed_at = ? WHERE id = ?");
      this.drop = prepared("DELETE FROM models WHERE id = ?");
      this.dropGrant = prepared("DELETE FROM models WHERE grant_id = ?");
    }
  }

  constructor(name) {
    this.name = name;
  }

  #id(id) {
    return `${this.name}:${id}`;
  }

  #told(row) {
    if (!row || (row.expires_at && row.expires_at < Date.now() / 1000)) return undefined;
    return { ...JSON.parse(row.payload), ...(row.consumed_at ? { consumed: row.consumed_at } : {}) };
  }

  async upsert(id, payload, expiresIn) {
    const expiresAt = expiresIn ? Date.now() / 1000 + expiresIn : null;
    SqliteAdapter.put.run(this.#id(id), JSON.stringify(payload), payload.grantId ?? null, payload.uid ?? null, expiresAt);
  }

  async find(id) {
    return this.#told(SqliteAdapter.get.get(this.#id(id)));
  }

  async findByUid(uid) {
    return this.#told(SqliteAdapter.byUid.get(uid));
  }

  async consume(id) {
    SqliteAdapter.use.run(Math.floor(Date.now() / 1000), this.#id(id));
  }

  async destroy(id) {
    SqliteAdapter.drop.run(this.#id(id));
  }

  async revokeByGrantId(grantId) {
    SqliteAdapter.dropGrant.run(grantId);
  }
}

const provider = new Provider(settings.issuer, {
  ...(settings.database ? { adapter: SqliteAdapter } : {}),
  clients: [
    {
      client_id: settings.client.id,
      redirect_uris: [settings.client.redirectUri],
      token_endpoint_auth_method: "tls_client_auth",
      tls_client_auth_san_dns: "tpp.example",
      tls_client_certificate_bound_access_tokens: true,
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      response_types: ["code"],
      require_pushed_authorization_requests: true,
      scope: "accounts offline_access",
    },
  ],
  clientAuthMethods: ["tls_client_auth"],
  scopes: ["accounts", "offline_access"],
  claims: {},
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate(),
      certificateAuthorized: (ctx) => ctx.req.socket.authorized,
      // Whose certificate it is was looked at by the time the platform knows the TPP; here one lookup stands for it.
      certificateSubjectMatches: (ctx) => Boolean(ctx.req.socket.getPeerX509Certificate().subject),
    },
  },
  cookies: { keys: ["a key of a benchmark"] },
  pkce: { required: () => true },
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 600, AuthorizationCode: 60, RefreshToken: 3600, Grant: 3600, Interaction: 900, Session: 900, ClientCredentials: 600 },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
});
provider.proxy = false;

async function decide(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "anna.weber" } }, { mergeWithLastSubmission: false });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const callback = provider.callback();
https
  .createServer(
    { key: readFileSync(settings.key), cert: readFileSync(settings.certificate), ca: readFileSync(settings.ca), requestCert: true, rejectUnauthorized: true, keepAliveTimeout: 60_000 },
    (request, response) => {
      const answer = request.url.startsWith("/interaction/") ? decide(request, response) : callback(request, response);
      Promise.resolve(answer).catch((error) => response.writeHead(500).end(String(error)));
    },
  )
  .listen(settings.port, "127.0.0.1", () => process.stdout.write("ready\n"));
