// The bar below the grid: renaming in place, "Copy link", and the message that says why a
// cell cannot be edited. Without this script, the name is a link to the page that renames.
{
  const status = document.getElementById("bar-status");

  const form = document.getElementById("rename");
  if (form) {
    const link = document.getElementById("frame-name");
    const heading = link.parentElement;
    const field = form.elements.name;
    let name = field.value;
    let isSaving = false;

    const close = (isFocused) => {
      form.hidden = true;
      heading.hidden = false;
      field.removeAttribute("aria-invalid");
      if (isFocused) link.focus();
    };
    const save = async (isFocused) => {
      if (isSaving) return;
      status.textContent = "";
      if (field.value.trim() === name) {
        close(isFocused);
        return;
      }
      isSaving = true;
      const response = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      }).catch(() => null);
      // The response is a page if the session has expired.
      const answer = (await response?.json().catch(() => null)) ?? {};
      isSaving = false;
      if (answer.title === undefined) {
        status.textContent = answer.error ?? form.dataset.failed;
        field.setAttribute("aria-invalid", "true");
        return;
      }
      ({ name } = answer);
      link.textContent = answer.title;
      status.textContent = form.dataset.done;
      close(isFocused);
    };

    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // Opens a new tab.
      event.preventDefault();
      status.textContent = "";
      field.value = name;
      heading.hidden = true;
      form.hidden = false;
      field.focus();
      field.select();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(true);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      status.textContent = "";
      close(true);
    });
    field.addEventListener("blur", () => {
      if (!form.hidden && document.hasFocus()) save(false);
    });
  }

  const copy = document.getElementById("copy-link");
  if (copy) {
    const write = async (text) => {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // Without HTTPS, browsers offer only this old command.
        const field = document.createElement("input");
        field.value = text;
        copy.after(field);
        field.select();
        const isCopied = document.execCommand("copy");
        field.remove();
        copy.focus();
        return isCopied;
      }
    };
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const address = new URL(copy.dataset.link, location.href).href;
      status.textContent = "";
      // If the browser refuses, the person can copy the address from here.
      status.textContent = (await write(address)) ? copy.dataset.done : address;
    });
  }

  const readOnly = document.getElementById("read-only");
  if (readOnly) {
    const close = () => {
      readOnly.hidden = true;
    };
    document.addEventListener("dblclick", (event) => {
      // The first column has the labels of the rows.
      const cell = event.target.closest('.cell[cell_idx]:not([cell_idx^="0|"])');
      if (cell && !cell.classList.contains("editable")) readOnly.hidden = false;
    });
    readOnly.querySelector("button").addEventListener("click", close);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
  }
}
