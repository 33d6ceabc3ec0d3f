// Opening a file with a bar that shows how far it is, and a way to cancel. Without this
// script the form sends itself. The answer is a line of JSON for each step: uploads.py.
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
  if (label.textContent !== text) label.textContent = text; // Read aloud once.
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

// The last whole line of what has arrived: its steps so far, or its end.
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

function sendFile(file) {
  if (request) return;
  if (file.size > Number(texts.limit)) return stop(texts.tooLarge);
  const data = new FormData(form);
  data.set("file", file, file.name);
  send(data);
}

form.addEventListener("submit", (event) => {
  if (fileInput) {
    event.preventDefault();
    sendFile(fileInput.files[0]);
  } else if (event.submitter?.name === "open") {
    event.preventDefault();
    send(new FormData(form, event.submitter));
  }
});

box.querySelector("button").addEventListener("click", () => request?.abort());

// Back from the frame: the browser may show this page as it was when it was left.
window.addEventListener("pageshow", () => stop(""));

if (fileInput) {
  for (const hint of form.querySelectorAll("[data-with-script]")) hint.hidden = false;
  let depth = 0; // Of elements that are entered and not left yet.
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
    if (items.length > 1) stop(texts.several);
    else if (items[0]?.webkitGetAsEntry?.()?.isDirectory) stop(texts.noFile);
    else sendFile(event.dataTransfer.files[0]);
  });
}
