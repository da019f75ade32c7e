// Gives each sample a button that copies it. Without scripts, or without a clipboard, the text can be marked as ever.
const SHOWN_FOR_MS = 2500;

function announcer() {
  const status = document.createElement('p');
  status.className = 'unseen';
  status.setAttribute('role', 'status');
  document.body.append(status);
  return status;
}

function mark(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function copyButton(sample, status) {
  const text = sample.querySelector('code');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button quiet small copy';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', `Copy: ${sample.dataset.copy}`);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = 'Copied';
      status.textContent = `Copied: ${sample.dataset.copy}`;
    } catch {
      mark(text);
      button.textContent = 'Marked';
      status.textContent = 'This browser does not let a page copy: the text is marked, copy it with the keyboard';
    }
    setTimeout(() => { button.textContent = 'Copy'; status.textContent = ''; }, SHOWN_FOR_MS);
  });
  return button;
}

const status = announcer();
for (const sample of document.querySelectorAll('[data-copy]')) {
  sample.prepend(copyButton(sample, status));
}
