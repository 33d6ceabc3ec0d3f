// Messages can be closed, and disappear after a while. Messages with a button, such as
// Undo, stay, and so do errors and messages under the pointer or with the focus.
"use strict";

const SECONDS = 8;

for (const toast of document.querySelectorAll(".messages > div")) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.setAttribute("aria-label", toast.parentElement.dataset.close);
  close.addEventListener("click", () => toast.remove());
  const stays = toast.querySelector("form, a") || toast.matches(".error, .warning");
  toast.append(close);
  toast.tabIndex = 0;
  toast.addEventListener("keydown", (event) => {
    if (event.key === "Escape") toast.remove();
  });
  if (stays) continue;
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) wait();
      else toast.remove();
    }, SECONDS * 1000);
  };
  wait();
  for (const kind of ["pointerleave", "focusout"]) toast.addEventListener(kind, wait);
}
