// Change the theme without loading the page again. Without this script, the form does it.
"use strict";

for (const form of document.querySelectorAll("form.theme")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = event.submitter;
    const body = new FormData(form, chosen);
    const headers = { Accept: "application/json" };
    const answer = await fetch(form.action, { method: "POST", body, headers }).catch(() => null);
    // The site may need a new token, because somebody has signed in or out since.
    if (!answer?.ok) return location.reload();
    const { value } = chosen;
    document.documentElement.dataset.theme = value;
    const scheme = document.querySelector("meta[name=color-scheme]");
    scheme.content = value === "system" ? "light dark" : value;
    for (const button of form.querySelectorAll("[name=theme]")) {
      button.setAttribute("aria-pressed", button === chosen);
    }
  });
}
