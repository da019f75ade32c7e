// Asks the browser for a passkey and sends its answer with the form it belongs to (WebAuthn Level 3 §5.1.8, §5.1.9).
const ceremonies = {
  create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

async function answer(form) {
  const fault = form.querySelector('[data-passkey-fault]');
  fault.hidden = true;
  try {
    const credential = await ceremonies[form.dataset.ceremony](JSON.parse(form.dataset.passkey));
    form.elements.answer.value = JSON.stringify(credential);
    form.submit();
  } catch {
    // The PSU has turned away, or the device knows no such passkey: the form stays, and so do the other ways.
    fault.hidden = false;
  }
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', (event) => {
    // The other buttons of the form go elsewhere.
    if (event.submitter?.hasAttribute('formaction')) return;
    event.preventDefault();
    answer(form);
  });
}
