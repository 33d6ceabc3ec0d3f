// D-Tale's largest files, before the first click: once for each version of them. A browser
// that is told again lets go of the scripts that it has ready in its memory, and would have
// to read and unpack them on the click.
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
