// Download a file with a progress bar and a button to cancel. Without this script, the
// browser downloads the file by itself.
"use strict";

{
  const form = document.querySelector("form[data-downloads]");
  const box = form.querySelector(".progress");
  const bar = box.querySelector("progress");
  const label = box.querySelector("[role=status]");
  const cancel = box.querySelector("[data-cancel]");
  const numbers = box.querySelector("[data-numbers]");
  const problem = form.querySelector(".problem");
  const texts = form.dataset;
  let request = null;

  const megabytes = (bytes) =>
    (bytes / 2 ** 20).toLocaleString(document.documentElement.lang, {
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    }) + " MB";

  function show(text, isRunning) {
    if (label.textContent !== text) label.textContent = text;
    numbers.textContent = "";
    box.hidden = !text;
    bar.hidden = cancel.hidden = !isRunning;
    form.toggleAttribute("aria-busy", isRunning);
  }

  function stop(text, why) {
    request = null;
    show(text, false);
    problem.textContent = why;
    problem.hidden = !why;
  }

  function nameOf(response) {
    const header = response.headers.get("Content-Disposition") ?? "";
    const encoded = header.match(/filename\*=utf-8''([^;]+)/i);
    if (encoded) return decodeURIComponent(encoded[1]);
    return header.match(/filename="((?:[^"\\]|\\.)*)"/)?.[1].replace(/\\(.)/g, "$1");
  }

  // Return all chunks of a response, and show how many bytes have arrived.
  async function receive(response) {
    const isEncoded = response.headers.has("Content-Encoding");
    const total = isEncoded ? 0 : Number(response.headers.get("Content-Length"));
    const chunks = [];
    let done = 0;
    let shown = 0;
    show(texts.receiving, true);
    for (const reader = response.body.getReader(); ; ) {
      const chunk = await reader.read();
      if (chunk.done) return chunks;
      chunks.push(chunk.value);
      done += chunk.value.length;
      if (total) bar.value = done / total;
      if (performance.now() - shown < 500) continue;
      shown = performance.now();
      const size = total ? `${megabytes(done)} / ${megabytes(total)}` : megabytes(done);
      numbers.textContent = size;
    }
  }

  function save(chunks, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(chunks));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (request) return;
    const page = location.pathname;
    const url = `${page}?${new URLSearchParams(new FormData(form))}`;
    stop("", "");
    const { signal } = (request = new AbortController());
    bar.removeAttribute("value");
    show(texts.preparing, true);
    try {
      const response = await fetch(url, { signal });
      const name = nameOf(response);
      // The page of an error, or the one for signing in, says what to do.
      if (!response.ok || !name) return location.assign(url);
      const chunks = await receive(response);
      save(chunks, name);
      const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      stop(`${texts.done} ${name} (${megabytes(size)})`, "");
    } catch {
      if (signal.aborted) stop(texts.cancelled, "");
      else stop("", texts.failed);
    }
  });

  cancel.addEventListener("click", () => request?.abort());
  window.addEventListener("pageshow", (event) => event.persisted && stop("", ""));
}
