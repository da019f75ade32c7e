// A fresh PKCE verifier and state, and the address that the PSU's browser would open (RFC 7636, RFC 6749 §4.1.1).
const crypto = require('crypto-js');
const base64url = (words) => crypto.enc.Base64.stringify(words).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const values = pm.collectionVariables;

const verifier = base64url(crypto.lib.WordArray.random(48));
const state = crypto.lib.WordArray.random(16).toString();
const parameters = {
    response_type: 'code',
    client_id: values.get('clientId'),
    redirect_uri: values.get('redirectUri'),
    scope: values.get('scope'),
    state: state,
    code_challenge: base64url(crypto.SHA256(verifier)),
    code_challenge_method: 'S256',
};
const query = Object.keys(parameters).map((name) => name + '=' + encodeURIComponent(parameters[name])).join('&');

values.set('codeVerifier', verifier);
values.set('codeChallenge', parameters.code_challenge);
values.set('state', state);
values.set('authorizationUrl', values.get('front') + '/authorize?' + query);
console.log('To be the PSU in a browser instead, open: ' + values.get('authorizationUrl'));
