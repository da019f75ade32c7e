// Parts of a page that ask for news ([data-polls]) rest while nobody looks, and say so when they get no answer.
const polling = (event) => event.target instanceof Element && event.target.closest('[data-polls]');

document.addEventListener('htmx:before:request', (event) => {
  if (polling(event) && document.hidden) {
    event.preventDefault();
  }
});

function tell(isStale) {
  for (const note of document.querySelectorAll('[data-stale]')) {
    note.hidden = !isStale;
  }
}

document.addEventListener('htmx:response:error', (event) => { if (polling(event)) tell(true); });
document.addEventListener('htmx:error', (event) => { if (polling(event)) tell(true); });
document.addEventListener('htmx:after:request', (event) => {
  if (polling(event) && event.detail.ctx.response.status < 400) tell(false);
});
