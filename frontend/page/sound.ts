// The sound of a critical value. A browser keeps a page silent until somebody has clicked or typed in it: while it does, the
// page says so beside the bell and offers to turn the sound on; the first click or key anywhere does it as well.
import { words } from "./words";

const PITCHES = [880, 1175, 880, 1175];
const BEAT_SECONDS = 0.28;
// How long a context that is allowed to play needs until it says that it runs.
const START_MS = 400;
const AGAIN_MS = 10_000;

let audio: AudioContext | null = null;
// A sound that the browser has held back: it comes with the first click.
let owed = false;

// Whether alarms come to this person at all: only then the page has the offer beside the bell.
export function alarmed(): boolean {
  return button() !== null;
}

export function startSound(): void {
  if (!alarmed()) return;
  button()?.addEventListener("click", () => void ring());
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, wake, true);
  void allowed().then((may) => show(!may));
}

export async function ring(): Promise<void> {
  const may = await allowed();
  owed = !may;
  show(!may);
  if (!may || !audio) return askForSound();
  document.querySelector(".ds-sound")?.remove();
  play(audio);
}

// Until whoever is there has answered the dialog.
export function ringUntilClosed(dialog: HTMLDialogElement): void {
  const timer = setInterval(() => {
    if (dialog.open) void ring();
    else clearInterval(timer);
  }, AGAIN_MS);
}

async function allowed(): Promise<boolean> {
  // A context that may not start is complained of in the browser's console; an element that may not play only says no.
  if (!audio && !(await elementMayPlay())) return false;
  audio ??= new AudioContext();
  // Without a gesture the browser keeps the context suspended and resume() waits: look instead of waiting.
  void audio.resume();
  for (let waited = 0; audio.state !== "running" && waited < START_MS; waited += 50) await new Promise((done) => setTimeout(done, 50));
  return audio.state === "running";
}

// Asked with a hundredth of a second of silence.
async function elementMayPlay(): Promise<boolean> {
  const silence = button()?.dataset.silence;
  if (!silence) return true;
  try {
    await new Audio(silence).play();
    return true;
  } catch (refusal) {
    // What cannot be loaded says nothing about what the browser allows.
    return !(refusal instanceof DOMException && refusal.name === "NotAllowedError");
  }
}

function wake(): void {
  if (!owed && (button()?.hidden ?? true)) return;
  void allowed().then((may) => {
    if (!may) return;
    show(false);
    document.querySelector(".ds-sound")?.remove();
    if (owed && audio) play(audio);
    owed = false;
  });
}

function play(context: AudioContext): void {
  for (const [index, pitch] of PITCHES.entries()) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const begin = context.currentTime + index * BEAT_SECONDS;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.24);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 0.25);
  }
}

function button(): HTMLButtonElement | null {
  return document.querySelector<HTMLButtonElement>("[data-sound]");
}

function show(silent: boolean): void {
  const place = button();
  if (place) place.hidden = !silent;
}

// In the dialog when one is open: it makes the rest of the page inert, the button beside the bell as well.
function askForSound(): void {
  const bar = document.querySelector<HTMLElement>(".ds-sound") ?? soundBar();
  const place = document.querySelector("dialog[open]") ?? document.body;
  if (bar.parentElement !== place) place.append(bar);
}

function soundBar(): HTMLElement {
  const bar = document.createElement("div");
  bar.className = "ds-sound";
  bar.setAttribute("role", "alert");
  const text = document.createElement("span");
  text.textContent = words.sound;
  const on = document.createElement("button");
  on.type = "button";
  on.className = "btn btn-sm btn-primary";
  on.textContent = words.soundOn;
  // The press itself is the gesture that the browser waits for.
  on.addEventListener("click", wake);
  bar.append(text, on);
  return bar;
}
