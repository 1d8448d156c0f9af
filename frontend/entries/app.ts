// What every page runs: htmx, Tabler, and our small behaviours. Each works on attributes, so that parts which htmx
// brings later need no start of their own.
import "@tabler/core/dist/css/tabler.min.css";
import "@tabler/core";
import htmx from "htmx.org";
import "../styles/app.css";
import "../styles/touch.css";
import "../styles/referrals.css";
import "../styles/record.css";
import "../styles/slots.css";
import "../styles/sound.css";
import "../styles/consent.css";
import "../styles/pregnancy.css";
import { startCards } from "../page/card";
import { startChoices } from "../page/choices";
import { startClocks } from "../page/clocks";
import { startConditions } from "../page/conditions";
import { startForms } from "../page/forms";
import { startForgetting } from "../page/forgetting";
import { startKeypad } from "../page/keypad";
import { startLeaving } from "../page/leaving";
import { startLive } from "../page/live";
import { startPrinting } from "../page/printing";
import { startShortcuts } from "../page/shortcuts";
import { startSound } from "../page/sound";
import { startSurface } from "../page/surface";
import { startTables } from "../page/tables";
import { startToasts } from "../page/toasts";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;
startToasts();
startForms();
startSurface();
startShortcuts();
startClocks();
startTables();
startLive(htmx);
startSound();
startForgetting();
startLeaving();
startKeypad();
startConditions();
startChoices();
startCards();
startPrinting();
