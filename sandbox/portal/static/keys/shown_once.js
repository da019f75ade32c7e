// A page whose secrets are shown once: leaving asks first, and a copy that the browser keeps for the back button is emptied.

let isSaved = false;

for (const link of document.querySelectorAll("#secrets a[download]")) link.addEventListener("click", () => (isSaved = true));

addEventListener("beforeunload", (event) => {
  if (!isSaved) event.preventDefault();
});

addEventListener("pagehide", () => {
  document.getElementById("secrets").remove();
});
