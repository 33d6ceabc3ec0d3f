// Add the action to buttons that copy the value of a field, or the text of an element.
// Without this script, users can select the text.
"use strict";

for (const button of document.querySelectorAll("[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
    } catch {
      // Without HTTPS, browsers offer only this old command.
      if (!document.execCommand("copy")) return;
    }
    status.textContent = button.dataset.done;
  });
}
