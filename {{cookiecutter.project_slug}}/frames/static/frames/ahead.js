// D-Tale's largest files, before the first click: once for each version of them. A browser
// that is told again lets go of the scripts that it has ready in its memory, and would have
// to read and unpack them on the click.
{
  const links = document.getElementById("ahead").content;
  const largest = links.querySelector("link");
  const version = largest.getAttribute("href");
  if (localStorage.getItem("frames.ahead") !== version) {
    largest.addEventListener("load", () => localStorage.setItem("frames.ahead", version));
    document.head.append(links);
  }
}
