// A grid requests rows long after it was loaded. If the data are replaced meanwhile, the
// server refuses requests of this version of the data, so that old and new rows are never
// mixed. This script sends the version, and shows a button that reloads the page.
{
  const { frame, version, state } = document.currentScript.dataset;
  const notice = document.getElementById("newer-data");
  const SECONDS = 60;
  const { open, send } = XMLHttpRequest.prototype;

  const show = () => {
    notice.hidden = false;
  };

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isOwn = new URL(url, location.href).origin === location.origin;
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.isOwn) {
      this.setRequestHeader("X-Data-Version", `${frame}=${version}`);
      this.addEventListener("load", () => this.status === 409 && show());
    }
    return send.apply(this, body);
  };

  const ask = async () => {
    if (document.hidden || !notice.hidden) return;
    const answer = await fetch(state).catch(() => null);
    if (answer?.ok && String((await answer.json()).version) !== version) show();
  };
  setInterval(ask, SECONDS * 1000);
  document.addEventListener("visibilitychange", ask);
  notice.querySelector("button").addEventListener("click", () => location.reload());
}
