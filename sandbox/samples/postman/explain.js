// A refusal explains itself: what, why, what to do. The portal's Requests tab shows the same call.
if (pm.response.code >= 400) {
    let said = {};
    try { said = pm.response.json(); } catch (error) { said = {}; }
    console.log(['reason', 'hint', 'clause'].filter((name) => said[name]).map((name) => name + ': ' + said[name]).join('\n'));
    console.log('Requests tab: ' + pm.response.headers.get('X-Sandbox-Request'));
}
