// Keeps what is written, a moment after each change, and the lease of the case while its reader is there.
const english = document.documentElement.lang === "en";
const WAIT = 1200;
const HEARTBEAT = 45_000;
const saved = english ? "Saved " : "已保存 ";
const lapsed = english
  ? "Nothing was heard of you for a while: the case is back on the queue. What you wrote is kept; claim it again to go on."
  : "您较久没有操作，这份心电图已回到队列；已写的内容仍然保留，请重新领取后继续。";
const offline = english ? "Not saved: the network is down. Trying again." : "未保存：网络不通，正在重试。";

export function startKeeping(form: HTMLFormElement): void {
  const place = form.querySelector<HTMLElement>("[data-saved]");
  let timer = 0;
  let touched = true;
  let lost = false;

  const say = (text: string, wrong: boolean): void => {
    if (!place) return;
    place.textContent = text;
    place.classList.toggle("is-lost", wrong);
  };
  const send = async (address: string): Promise<boolean> => {
    try {
      const answer = await fetch(address, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (answer.ok) return true;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".ds-error-part");
      say(part?.textContent?.trim() ?? offline, true);
      // Another reader has the case now: more tries would only repeat the sentence.
      lost = answer.status === 409;
    } catch {
      say(offline, true);
      timer = window.setTimeout(() => void keep(), WAIT * 4);
    }
    return false;
  };
  const keep = async (): Promise<void> => {
    if (lost || form.dataset.sent !== undefined) return;
    if (await send(form.dataset.draft ?? "")) say(saved + new Date().toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" }), false);
  };
  document.body.addEventListener("live:ecg-lapsed", (event) => {
    if ((event as CustomEvent<{ id: string }>).detail.id !== form.dataset.order) return;
    lost = true;
    say(lapsed, true);
    place?.scrollIntoView({ block: "nearest" });
  });
  form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void keep(), WAIT);
  });
  form.addEventListener("submit", () => window.clearTimeout(timer));
  for (const kind of ["keydown", "pointermove", "wheel"]) document.addEventListener(kind, () => (touched = true), { passive: true });
  window.setInterval(() => {
    if (!touched || lost) return;
    touched = false;
    void send(form.dataset.renew ?? "");
  }, HEARTBEAT);
}
