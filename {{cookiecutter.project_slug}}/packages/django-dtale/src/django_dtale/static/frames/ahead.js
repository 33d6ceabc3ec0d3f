// Prepare for D-Tale's page, so that the first click does not have to wait for its scripts.
{
  const { from, files } = document.currentScript.dataset;
  const [script] = files.split(" ");

  // Prefetch D-Tale's largest files. Each version is prefetched only once: a browser that
  // prefetches a script again drops the copy in its memory, and has to read and decompress the
  // file on the next click.
  if (localStorage.getItem("frames.ahead") !== from) {
    for (const file of files.split(" ")) {
      const link = document.createElement("link");
      link.rel = "prefetch";
      link.as = file.endsWith(".css") ? "style" : "script";
      link.href = `${from}/${file}`;
      if (file === script) {
        link.addEventListener("load", () => localStorage.setItem("frames.ahead", from));
      }
      document.head.append(link);
    }
  }

  // Run D-Tale's script in a hidden page while somebody chooses a file. The browser keeps the
  // compiled functions, so D-Tale's page starts in about half of the time.
  const warmUp = () => {
    stopWatching.abort();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = `${from}/dist/ahead.html`;
    document.body.append(frame);
  };
  const stopWatching = new AbortController();
  const watch = (name, isStart) =>
    document.addEventListener(name, (event) => isStart(event) && warmUp(), stopWatching);
  watch("click", ({ target }) => target.matches?.("[data-at-once] input[type=file]"));
  watch("dragenter", ({ dataTransfer }) => dataTransfer?.types.includes("Files"));
}
