// Prefetch D-Tale's largest files, so that the first click does not have to wait for them.
// Each version is prefetched only once: a browser that prefetches a script again drops the
// copy in its memory, and has to read and decompress the file on the next click.
{
  const { from, files } = document.currentScript.dataset;
  if (localStorage.getItem("frames.ahead") !== from) {
    for (const [at, file] of files.split(" ").entries()) {
      const link = document.createElement("link");
      link.rel = "prefetch";
      link.as = file.endsWith(".css") ? "style" : "script";
      link.href = `${from}/${file}`;
      if (at === 0) {
        link.addEventListener("load", () => localStorage.setItem("frames.ahead", from));
      }
      document.head.append(link);
    }
  }
}
