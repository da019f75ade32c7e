// The redirect must answer the request that we sent: state, then issuer (RFC 6749 §10.12, RFC 9207), then the code.
const values = pm.collectionVariables;
const parameters = {};
(pm.response.json().redirect.split('?').pop() || '').split('&').forEach((pair) => {
    const at = pair.indexOf('=');
    parameters[decodeURIComponent(pair.slice(0, at))] = decodeURIComponent(pair.slice(at + 1));
});
pm.test('state is the one we sent', () => pm.expect(parameters.state).to.eql(values.get('state')));
pm.test('the issuer is the one we asked', () => pm.expect(parameters.iss).to.eql(values.get('front')));
pm.test('the PSU has approved', () => pm.expect(parameters.error).to.eql(undefined));
values.set('code', parameters.code);
