// Upload files with a progress bar and a button to cancel. Without this script, the browser
// submits the form. The response is a line of JSON for each step: see steps.py.
"use strict";

const form = document.querySelector("form[data-opens]");
const box = form.querySelector(".progress");
const bar = box.querySelector("progress");
const label = box.querySelector("[role=status]");
const numbers = box.querySelector("[data-numbers]");
const problem = form.querySelector(".problem[hidden]");
const again = form.querySelector("[data-again]");
const fileInput = form.querySelector("input[type=file]");
const texts = form.dataset;
let request = null;
let since; // When the current step began, in milliseconds.
let clock; // Shows the seconds of a step whose progress is not known.
let files = []; // Of the last attempt, so that nobody has to choose them again.

// Numbers ------------------------------------------------------------------------------

const format = (value, options) =>
  new Intl.NumberFormat(document.documentElement.lang, options).format(value);
const percent = (part) => format(part, { style: "percent" });
const megabytes = (bytes) =>
  format(bytes / 2 ** 20, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });

function duration(seconds) {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : [seconds / 60, "minute"];
  return format(Math.ceil(value), { style: "unit", unit, unitDisplay: "long" });
}

function progressOfUpload({ loaded, total }, started) {
  const seconds = (performance.now() - started) / 1000;
  const parts = [percent(loaded / total), `${megabytes(loaded)} / ${megabytes(total)}`];
  // The first measurements are too short for an estimate.
  if (seconds > 1 && loaded < total) {
    const left = duration((seconds * (total - loaded)) / loaded);
    parts.push(texts.left.replace("TIME", left));
  }
  return parts.join(" · ");
}

// Steps --------------------------------------------------------------------------------

function show(text, done, details = "") {
  // Screen readers announce each change.
  if (label.textContent !== text) {
    label.textContent = text;
    since = performance.now();
  }
  const isKnown = done !== undefined;
  if (isKnown) bar.value = done;
  else bar.removeAttribute("value");
  // A browser without a graphics card needs a tenth of a processor for a moving bar. The
  // seconds, too, show that the site works.
  const showNumbers = () => {
    const seconds = Math.floor((performance.now() - since) / 1000);
    const passed = isKnown || !seconds ? "" : duration(seconds);
    numbers.textContent = [details, passed].filter(Boolean).join(" · ");
  };
  showNumbers();
  clearInterval(clock);
  if (!isKnown) clock = setInterval(showNumbers, 1000);
}

function showStep({ step, done, name, part, parts }) {
  const details = parts ? [`${part} / ${parts}`] : [];
  if (done) details.push(percent(done));
  show(name ? `${texts[step]} ${name}` : texts[step], done || undefined, details.join(" · "));
}

function stop(text, canRetry = false) {
  request = null;
  clearInterval(clock);
  label.textContent = ""; // The next step begins anew.
  box.hidden = true;
  form.removeAttribute("aria-busy");
  problem.textContent = text;
  problem.hidden = !text;
  again.hidden = !canRetry || !files.length;
  if (text) problem.scrollIntoView({ block: "nearest" });
}

// Return the last complete line that has arrived: the latest step, or the result.
function lastStep(text) {
  const lines = text.split("\n");
  lines.pop();
  try {
    return JSON.parse(lines.pop());
  } catch {
    return null;
  }
}

function send(data) {
  if (request) return;
  const hasFile = Boolean(data.get("file"));
  const started = performance.now();
  stop("");
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
  form.setAttribute("aria-busy", "true");
  show(hasFile ? texts.sending : texts.reading, hasFile ? 0 : undefined);
  const sent = (request = new XMLHttpRequest());
  sent.open("POST", form.action);
  sent.setRequestHeader("Accept", "application/x-ndjson");
  sent.upload.onprogress = (event) => {
    if (!hasFile) return;
    show(texts.sending, event.loaded / event.total, progressOfUpload(event, started));
  };
  sent.upload.onload = () => show(texts.reading);
  sent.onprogress = () => {
    const step = lastStep(sent.responseText);
    if (step?.step) showStep(step);
  };
  sent.onload = () => {
    const step = lastStep(sent.responseText);
    if (!step?.location) return stop(step?.problem || texts.failed, true);
    show(texts.opening);
    location.assign(step.location);
  };
  sent.onerror = () => stop(texts.failed, true);
  sent.onabort = () => stop(texts.cancelled, true);
  sent.send(data);
}

function sendFiles(chosen) {
  if (request) return;
  files = chosen;
  if (files.length > Number(texts.most)) return stop(texts.tooMany);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > Number(texts.limit)) return stop(texts.tooLarge);
  const data = new FormData(form);
  data.delete("file");
  for (const file of files) data.append("file", file, file.name);
  send(data);
}

form.addEventListener("submit", (event) => {
  if (fileInput) {
    event.preventDefault();
    sendFiles([...fileInput.files]);
  } else if (event.submitter?.name === "open") {
    event.preventDefault();
    send(new FormData(form, event.submitter));
  }
});

box.querySelector("[data-cancel]").addEventListener("click", () => request?.abort());
again.addEventListener("click", () => sendFiles(files));

// When users go back from a frame, the browser may show this page as they left it.
window.addEventListener("pageshow", () => stop(""));

// Ways to choose files -----------------------------------------------------------------

if (fileInput) {
  let depth = 0; // The number of elements that were entered but not left.
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (change) => {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  document.addEventListener("dragenter", (event) => isFile(event) && mark(1));
  document.addEventListener("dragleave", (event) => isFile(event) && mark(-1));
  document.addEventListener("dragover", (event) => isFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    mark(0);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) stop(texts.noFile);
    else if (items.length) sendFiles([...event.dataTransfer.files]);
  });
}

if ("atOnce" in texts) {
  const openChosen = () => {
    const chosen = [...fileInput.files];
    // The same file can then be chosen again after it was corrected.
    fileInput.value = "";
    if (chosen.length) sendFiles(chosen);
  };
  // Return whether the text is a table. Spreadsheets put tabs between cells.
  const openText = (text) => {
    if (!/[\t\n]/.test(text.trim())) return false;
    sendFiles([new File([text], text.includes("\t") ? "pasted.tsv" : "pasted.csv")]);
    return true;
  };
  fileInput.addEventListener("change", openChosen);
  document.addEventListener("paste", (event) => {
    // The search can have the focus when the page is loaded. Nobody searches for a table.
    if (event.target.closest?.("input:not(#search), textarea, [contenteditable]")) return;
    const { clipboardData } = event;
    if (clipboardData.files.length) sendFiles([...clipboardData.files]);
    else if (!openText(clipboardData.getData("text/plain"))) return;
    event.preventDefault();
  });
  form.querySelector("[data-paste]").addEventListener("click", async () => {
    // Browsers may not offer this, and users may refuse it. Then they can press Ctrl+V.
    const text = await navigator.clipboard?.readText?.().catch(() => "");
    if (!openText(text ?? "")) stop(texts.noTable);
  });
}
