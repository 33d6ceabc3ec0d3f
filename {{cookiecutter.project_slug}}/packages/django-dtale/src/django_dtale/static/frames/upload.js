// Upload files with a progress bar and a button to cancel. Without this script, the browser
// submits the form. The response is a line of JSON for each step: see steps.py.
"use strict";

const form = document.querySelector("form[data-opens]");
const box = form.querySelector(".progress");
const bar = box.querySelector("progress");
const label = box.querySelector("p");
const problem = form.querySelector(".problem[hidden]");
const fileInput = form.querySelector("input[type=file]");
const texts = form.dataset;
let request = null;

function show(text, done) {
  // Screen readers announce each change.
  if (label.textContent !== text) label.textContent = text;
  if (done === undefined) bar.removeAttribute("value");
  else bar.value = done;
}

function stop(text) {
  request = null;
  box.hidden = true;
  form.removeAttribute("aria-busy");
  problem.textContent = text;
  problem.hidden = !text;
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
  stop("");
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
  form.setAttribute("aria-busy", "true");
  show(data.get("file") ? texts.sending : texts.reading, data.get("file") ? 0 : undefined);
  const sent = (request = new XMLHttpRequest());
  sent.open("POST", form.action);
  sent.setRequestHeader("Accept", "application/x-ndjson");
  sent.upload.onprogress = (event) => {
    if (data.get("file")) show(texts.sending, event.loaded / event.total);
  };
  sent.upload.onload = () => show(texts.reading);
  sent.onprogress = () => {
    const step = lastStep(sent.responseText);
    if (step?.step) show(texts[step.step], step.done || undefined);
  };
  sent.onload = () => {
    const step = lastStep(sent.responseText);
    if (step?.location) location.assign(step.location);
    else stop(step?.problem || texts.failed);
  };
  sent.onerror = () => stop(texts.failed);
  sent.onabort = () => stop(texts.cancelled);
  sent.send(data);
}

function sendFiles(files) {
  if (request) return;
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

box.querySelector("button").addEventListener("click", () => request?.abort());

// When users go back from a frame, the browser may show this page as they left it.
window.addEventListener("pageshow", () => stop(""));

if (fileInput) {
  for (const hint of form.querySelectorAll("[data-with-script]")) hint.hidden = false;
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
